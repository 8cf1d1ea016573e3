// The devices that this runtime added to the manager, and what a network needs to run on each.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "imgmill/memory/memory_manager.h"
#include "torch/device_spec.h"
#include "torch/kernels/worker_team.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// One device. `pool` and `team` are null for an accelerator.
struct DeviceSlot {
  WorkPlace place = kCpuRung;
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  Pool* pool = nullptr;
  std::shared_ptr<WorkerTeam> team;
};

/// Shared by the runtime and its models, which may outlive it. Thread-safe.
class DeviceSlots {
 public:
  explicit DeviceSlots(int threads);

  /// Makes the devices and adds them to the manager. @return how many
  Result<int> Add(MemoryManager& manager, const std::vector<DeviceChoice>& choices, size_t budget);

  /// The CPU that steps in for all of them, and what was added.
  std::vector<std::shared_ptr<const DeviceSlot>> All() const;

  int threads() const noexcept { return threads_; }

 private:
  const int threads_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const DeviceSlot>> slots_;
};

/// What LibTorch can use now.
AcceleratorFacts FindAccelerators();

}  // namespace imgmill
