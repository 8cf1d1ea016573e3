// A network as a LibTorch module, on the CPU or an accelerator.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "torch/network.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// N x 3 x H x W in 0..1 to N x 3 x (H * scale) x (W * scale), not yet clamped.
class UpscaleNet : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(torch::Tensor input) = 0;
};

/// A module with weights of its own on one kind of memory, built when it is first needed and shared by the
/// executors there. Thread-safe.
class LazyNet {
 public:
  using Build = std::function<Result<std::shared_ptr<UpscaleNet>>(c10::Device)>;
  /// @param build  holds the weights until then
  LazyNet(c10::Device device, Build build) : device_(device), build_(std::move(build)) {}
  Result<std::shared_ptr<UpscaleNet>> Get();

 private:
  const c10::Device device_;
  std::mutex mutex_;
  Build build_;
  std::shared_ptr<UpscaleNet> net_;
};

/// What the module holds at its peak for one image of this size, beside input and output, in bytes.
using ModuleBytes = std::function<size_t(int height, int width)>;

/// @param info  of the network, which outlives the executor
std::unique_ptr<Executor> MakeModuleExecutor(const ModelInfo& info, ModuleBytes bytes,
                                             std::shared_ptr<LazyNet> net,
                                             std::shared_ptr<const DeviceSlot> slot);

}  // namespace imgmill
