// The devices that a runtime works on, and what a network needs to run on each.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "imgmill/infer/model_runtime.h"
#include "imgmill/memory/memory_manager.h"
#include "networks/device_spec.h"
#include "networks/kernels/worker_team.h"

namespace imgmill {

/// One device. `pool` and `team` are null for an accelerator.
struct DeviceSlot {
  WorkPlace place = kCpuRung;
  int accelerator = -1;  ///< its number; -1 for the CPU
  Pool* pool = nullptr;
  std::shared_ptr<WorkerTeam> team;
};

/// Shared by the runtime and its models, which may outlive it. Thread-safe.
class DeviceSlots {
 public:
  using MakeAccelerator = std::function<std::unique_ptr<Device>(int index)>;

  explicit DeviceSlots(int threads);

  /// Makes the devices and adds them to the manager. @return how many
  /// @param accelerator  null where the choices are all of the CPU
  Result<int> Add(MemoryManager& manager, const std::vector<DeviceChoice>& choices, size_t budget,
                  const MakeAccelerator& accelerator);
  /// Devices of the CPU that are in the manager already, with the threads of each.
  void TakeOver(const std::vector<HostDevice>& devices);

  /// The CPU that steps in for all of them, and what was added.
  std::vector<std::shared_ptr<const DeviceSlot>> All() const;
  /// What TakeOver takes: those that were added, all of the CPU.
  std::vector<HostDevice> OnHost() const;

  int threads() const noexcept { return threads_; }

 private:
  void Keep(std::shared_ptr<const DeviceSlot> slot);

  const int threads_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const DeviceSlot>> slots_;
};

}  // namespace imgmill
