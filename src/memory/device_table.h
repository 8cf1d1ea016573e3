// The devices of a run: their budgets, who has them, whether they still answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/memory/device.h"
#include "memory/device_errors.h"
#include "memory/device_gate.h"
#include "memory/settling.h"

namespace imgmill {

struct ManagedDevice {
  std::unique_ptr<Device> device;
  size_t asked = 0;                ///< budget that was asked for, 0 if none
  std::atomic<size_t> budget{0};   ///< budget in force; of no meaning where the host's pool is shared
  bool shares_host_pool = false;   ///< "cpu": allocates from the host's pool under the host's budget
  bool partition_of_host = false;  ///< "cpu:0": a pool of its own, out of the host's budget
  std::atomic<size_t> context{0};  ///< of the budget: what the driver takes for itself
  std::atomic<bool> awake{false};
  std::mutex waking;
  std::atomic<bool> lost{false};
  std::atomic<bool> above_threshold{false};
  std::atomic<uint64_t> refusals_seen{0};  ///< of the device's own count, as of the last look
  DeviceGate gate;
  Settling settling;
  DeviceErrors errors;
};

/// Thread-safe. Slots stay where they are once added.
class DeviceTable {
 public:
  /// @return its index. `budget` 0: the pool's own cap, or a share of the host's room, or what is free.
  int Add(std::unique_ptr<Device> device, size_t budget);
  int count() const;
  bool AnyOnHost() const;  ///< whether one of them computes in the host's memory
  ManagedDevice& At(int index) const;

  /// Gives each partitioned device its budget out of `room`, the host's budget less what is fixed: what was
  /// asked for (scaled down if all together would leave the host less than a quarter), the rest in equal
  /// shares, one of them the host's. @return their sum
  size_t ShareOut(size_t room);

  /// Bytes that a batch may take on a device with a budget of its own.
  size_t Room(const ManagedDevice& slot) const;

  /// Whether what its allocator keeps for reuse, and work of so many bytes beside it, would be more than its
  /// budget, and nothing but us minds.
  bool CacheInTheWay(const ManagedDevice& slot, size_t bytes) const;

  /// Makes it ready for work, once; see MemoryManager::WakeDevice.
  Status Wake(ManagedDevice& slot);
  /// Looks again at what is free, where no budget was asked for: others may have let go.
  void Refresh(ManagedDevice& slot);

  /// What all partitioned devices' pools hold together.
  struct Held {
    size_t charged = 0;  ///< cache included
    size_t cached = 0;
  };
  Held HeldByPartitions() const;

  std::vector<std::string> TakeWarnings();

 private:
  void SetFreeBudget(ManagedDevice& slot);
  void Refit(ManagedDevice& slot);
  Error TooLittle(const ManagedDevice& slot, size_t context);
  void WarnOnce(std::string text);

  mutable std::mutex mutex_;
  mutable std::deque<ManagedDevice> slots_;
  std::vector<std::string> warnings_;
  std::vector<std::string> warned_;
};

}  // namespace imgmill
