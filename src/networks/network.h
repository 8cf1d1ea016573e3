// A loaded network, and what runs it on a device.
#pragma once

#include <memory>
#include <string>

#include "imgmill/infer/model_runtime.h"
#include "networks/device_slots.h"

namespace imgmill {

/// A network on one device: our own kernels, a LibTorch module, or a script. Thread-safe. Making one takes
/// nothing of the device: weights go there with the first batch.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual BatchCost Cost(int n, int height, int width) const = 0;
  virtual int Streams() const { return 1; }
  virtual bool HasHalf() const { return false; }
  virtual bool TakesSamples() const { return false; }
  /// The executor must outlive it. Half precision only where it HasHalf.
  virtual std::unique_ptr<ModelStream> OpenStream(Precision precision) = 0;
};

/// What was read from one weight file. It gives an executor for each device, and holds no weights that no
/// device will ask for.
class Network {
 public:
  virtual ~Network() = default;
  virtual const ModelInfo& info() const = 0;
  /// Answers for a type of device ("cpu", "cuda"), tiles and batches included: they belong to the network.
  virtual NumericsPlan Plan(const std::string& device_type) const = 0;
  virtual std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) = 0;
  /// All executors are made: each has what it needs, and the rest can go.
  virtual void LetGoOfWeights() {}
};

/// n images of so many floats one after the other: the first again for those that are missing.
void Gather(std::span<const BatchImage> images, int n, size_t floats, float* to);

/// The error of an image that the network gave infinite or undefined values for.
Error NotFinite(const ModelInfo& info);

/// The kInternal error of a batch that this network cannot be asked for; else nothing.
Status CheckShape(const ModelInfo& info, size_t images, int n, int height, int width);

}  // namespace imgmill
