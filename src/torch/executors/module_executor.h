// A network as a LibTorch module, on the CPU or an accelerator.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "networks/network.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// N x 3 x H x W in 0..1 to N x 3 x (H * scale) x (W * scale), not yet clamped.
class UpscaleNet {
 public:
  virtual ~UpscaleNet() = default;
  virtual torch::Tensor forward(torch::Tensor input) = 0;
};

/// Where a module's weights lie, and as what.
struct NetPlace {
  // NOLINTNEXTLINE(google-explicit-constructor)
  NetPlace(c10::Device on, c10::ScalarType as = torch::kFloat32) : device(on), type(as) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  NetPlace(c10::DeviceType on) : NetPlace(c10::Device(on)) {}
  c10::Device device;
  c10::ScalarType type;
};

/// A module with weights of its own in one place, built when it is first needed and shared by the executors
/// there. Thread-safe.
class LazyNet {
 public:
  using Build = std::function<Result<std::shared_ptr<UpscaleNet>>(const NetPlace&)>;
  /// @param build  holds the weights until then
  LazyNet(const NetPlace& place, Build build) : place_(place), build_(std::move(build)) {}
  Result<std::shared_ptr<UpscaleNet>> Get();
  c10::ScalarType type() const { return place_.type; }

 private:
  const NetPlace place_;
  std::mutex mutex_;
  Build build_;
  std::shared_ptr<UpscaleNet> net_;
};

/// What the module holds at its peak for one image of this size, beside input and output, in bytes.
using ModuleBytes = std::function<size_t(int height, int width)>;

/// The network on one device. Half precision is for accelerators.
struct ModuleNets {
  std::shared_ptr<LazyNet> full, half;
};

/// @param info  of the network, which outlives the executor
std::unique_ptr<Executor> MakeModuleExecutor(const ModelInfo& info, ModuleBytes bytes, ModuleNets nets,
                                             std::shared_ptr<const DeviceSlot> slot);

}  // namespace imgmill
