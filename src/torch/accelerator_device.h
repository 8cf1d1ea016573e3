// A real accelerator (CUDA, ROCm, XPU, MPS) as the MemoryManager sees it, through LibTorch's generic
// interface.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "imgmill/memory/device.h"
#include "torch/driver_memory.h"
#include "torch/torch_headers.h"

namespace imgmill {

class AcceleratorDevice final : public Device {
 public:
  /// Touches nothing: the card sleeps until it is woken.
  explicit AcceleratorDevice(c10::Device device);

  std::string name() const override { return device_.str(); }  // "cuda:0"
  bool host_backed() const override { return false; }
  DeviceStats Stats() const override;
  void ResetPeak() override;
  Status Wake(size_t most) noexcept override;
  size_t EmptyCache() noexcept override;
  Status Synchronize() noexcept override;
  Status Canary() noexcept override;

 private:
  Status MakeContextWithin(size_t most);
  Status TryOut() const;
  void LookAtContext();

  const c10::Device device_;
  const std::unique_ptr<DriverCard> card_;  ///< null where LibTorch has to be asked for everything
  std::atomic<bool> awake_{false};
  std::atomic<size_t> context_{0};
  std::atomic<bool> capped_{false};
  std::atomic<size_t> peak_reserved_{0};  ///< of all times before the last ResetPeak
  std::mutex look_mutex_;
  std::chrono::steady_clock::time_point last_look_;
};

}  // namespace imgmill
