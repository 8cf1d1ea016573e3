// A real accelerator (CUDA, ROCm, XPU, MPS) as the MemoryManager sees it, through LibTorch's generic
// interface.
#pragma once

#include <string>

#include "imgmill/memory/device.h"
#include "torch/torch_headers.h"

namespace imgmill {

class AcceleratorDevice final : public Device {
 public:
  /// Wakes the device up, which loads its driver and makes its context. kDeviceLost or kOutOfMemory if it
  /// fails.
  static Result<std::unique_ptr<AcceleratorDevice>> Open(c10::Device device);

  std::string name() const override { return device_.str(); }  // "cuda:0"
  bool host_backed() const override { return false; }
  DeviceStats Stats() const override;
  void ResetPeak() override;
  size_t EmptyCache() noexcept override;
  Status Synchronize() noexcept override;
  Status Canary() noexcept override;

 private:
  explicit AcceleratorDevice(c10::Device device) : device_(device) {}
  c10::Device device_;
};

}  // namespace imgmill
