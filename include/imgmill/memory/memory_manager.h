// The MemoryManager: one object, shared by every command, that owns every decision about bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/memory/batch_log.h"
#include "imgmill/memory/cost_model.h"
#include "imgmill/memory/device.h"
#include "imgmill/memory/footprint.h"
#include "imgmill/memory/ladder.h"
#include "imgmill/memory/numerics_plan.h"
#include "imgmill/memory/pool.h"
#include "imgmill/memory/strategies.h"
#include "imgmill/memory/system_memory.h"

namespace imgmill {

struct MemoryOptions {
  /// Budget of the whole process in bytes (peak RSS stays below it). 0: the innermost cgroup limit less what
  /// else it holds, or 80 % of MemAvailable, whichever is less; a given budget is lowered to these too.
  size_t host_budget = 0;

  /// Bytes of the largest lease that will be asked for whatever happens, as far as is known: a budget that is
  /// too small to start with is refused with one that has room for it, too.
  size_t least_lease = 0;

  /// When freed memory goes back, and how many batches are in flight: names of strategies (strategies.h).
  std::string cache = "auto";
  std::string batch_sizing = "fit";

  /// Where learned costs are kept; empty keeps none.
  std::string cost_store;

  /// Milliseconds between two looks at RSS.
  int sample_ms = 20;
};

class MemoryManager;

/// The right to hold some bytes of the host. Given back on destruction.
class Lease {
 public:
  Lease() = default;
  ~Lease() { Release(); }
  Lease(Lease&& other) noexcept { *this = std::move(other); }
  Lease& operator=(Lease&& other) noexcept;
  void Release() noexcept;
  const Footprint& footprint() const { return footprint_; }
  explicit operator bool() const noexcept { return manager_ != nullptr; }

 private:
  friend class MemoryManager;
  Lease(MemoryManager& manager, const Footprint& footprint, int reservation = 0)
      : manager_(&manager), footprint_(footprint), reservation_(reservation) {}
  MemoryManager* manager_ = nullptr;
  Footprint footprint_;
  int reservation_ = 0;  ///< number of the reservation; 0 is none
};

/// Everything `memory info` and the report show.
struct MemoryInfo {
  SystemMemory system;
  std::optional<CgroupMemory> cgroup;
  ProcessMemory process;
  size_t budget = 0;          ///< host budget in force
  std::string budget_source;  ///< "--memory", "cgroup /sys/fs/...", "80 % of available memory"
  size_t allowed = 0;         ///< the most that --memory could be now without being lowered
  size_t fixed = 0;           ///< held by libraries, weights and the rest outside pools and leases
  size_t leased = 0;
  size_t peak_leased = 0;
  size_t unexplained = 0;  ///< RSS that neither pools, leases nor `fixed` explain, now
  size_t peak_unexplained = 0;
  /// Most bytes of the budget that the machine or the control group could not spare, since others took them.
  size_t peak_unavailable = 0;
  size_t leases_now = 0;
  uint64_t leases_granted = 0;
  uint64_t leases_waited = 0;  ///< grants that had to wait
  PoolStats host;
  /// Errors of a device other than a shortage of memory, and how often they occurred.
  struct DeviceError {
    std::string text;
    uint64_t count = 0;
  };
  struct NamedDevice {
    std::string name;
    DeviceStats stats;
    size_t budget = 0;
    bool lost = false;
    std::vector<DeviceError> errors = {};
  };
  std::vector<NamedDevice> devices;
  /// Bytes set aside for as long as a stage lives, and what for.
  struct Reservation {
    std::string what;
    size_t bytes = 0;
    std::optional<NumericsPlan> numerics = {};  ///< of a model's batches
  };
  std::vector<Reservation> reservations;
  uint64_t rungs[7] = {};  ///< how often each Rung was taken
  uint64_t clears = 0;
  double clear_ms = 0;  ///< time they took, as the cache strategy and the ladder asked for them
  /// What the user should hear: a budget that was lowered, statistics that cannot be read, a lost device, an
  /// operation that keeps memory image after image.
  std::vector<std::string> warnings;
};

class MemoryManager {
 public:
  /// @return kUsage if the budget cannot even hold what the process holds now: the message names the smallest
  /// that can.
  static Result<std::unique_ptr<MemoryManager>> Create(const MemoryOptions& options);
  ~MemoryManager();

  // ---- budgets and information
  MemoryInfo Info() const;
  /// Host bytes held (fixed + charged + untracked leases) over budget, 0..1 and above when it is exceeded.
  double Usage() const;
  size_t host_budget() const;
  const BatchSizing& batch_sizing() const;
  /// Counts what the process holds now, outside pools, as fixed: after a model or library was loaded, at a
  /// moment when no lease is out.
  void Rebaseline();

  // ---- leases: first in, first out
  /// Waits until `need` fits. Nothing smaller overtakes. kTooLarge at once if it never can, kInterrupted on
  /// stop.
  Result<Lease> Acquire(const Footprint& need, const StopFlag& stop);
  /// Grants `need` at once or not at all: an empty Lease means "not now".
  Result<Lease> TryAcquire(const Footprint& need);
  /// Sets bytes aside for a stage that lives as long as the run (a batch scheduler's batches), whether it is
  /// at work or not. Items' leases are granted beside it, and that one of them always is when none is out
  /// does not depend on it. kTooLarge if it does not fit the budget.
  /// @param told  what for, by which plan, and what the same stage takes out of budgets of host-backed
  ///   devices: shown beside it, not charged again
  Result<Lease> Reserve(const Footprint& need, MemoryInfo::Reservation told);
  /// Whether Acquire could ever grant it under the present budget; kTooLarge, naming the budget that could,
  /// if not.
  Status Fits(const Footprint& need) const;
  /// The smallest budget, in whole MiB, under which it would fit.
  size_t BudgetFor(const Footprint& need) const;
  /// The largest footprint that Acquire can ever grant under the present budget.
  size_t LargestLease() const;
  /// Called when somebody has to wait for a lease (and when nobody does any more): batches then flush. It
  /// must not throw. Subscribed for as long as what is returned lives; once that is gone, the callback is not
  /// running and never will again.
  [[nodiscard]] std::shared_ptr<void> OnPressure(std::function<void(bool waiting)> callback);
  bool AdmissionBlocked() const;
  /// Bytes of the budget that cannot be had now, since others took them.
  size_t Unavailable() const;

  // ---- devices
  /// @param budget  in bytes; 0: what is free there less a reserve, or, for host-backed devices, an equal
  /// share
  ///   of the host's
  /// @return its index
  int AddDevice(std::unique_ptr<Device> device, size_t budget = 0);
  int device_count() const;
  Device& device(int index);
  bool DeviceLost(int index) const;
  /// True for "cpu": what it needs must be leased from the host. False for a device with a budget of its own,
  /// also "cpu:0", whose budget is taken out of the host's beforehand.
  bool DeviceSharesHostPool(int index) const;
  /// Bytes that a batch may take on that device now.
  size_t DeviceRoom(int index) const;
  /// Bytes that work may take on the device in all: its budget less what its context takes; the host's budget
  /// where it shares that.
  size_t DeviceBudget(int index) const;
  /// Makes the device ready for work, as the first guarded work does by itself. An error says why it is not
  /// now: work is then done elsewhere, and it may be asked again.
  Status WakeDevice(int index);

  // ---- caches
  size_t ClearAll();
  /// Clears everything if usage is at or above 80 %. @return bytes given back
  size_t CollectIfAbove();
  /// To be called after each batch with its shape and the next one's (if known): applies the cache strategy.
  void BatchDone(WorkPlace place, const BatchShape& done, const std::optional<BatchShape>& next);

  // ---- costs
  std::shared_ptr<CostModel> Costs(const CostKey& key);
  /// Writes what was learned to the store of the options: at the end of a run.
  Status SaveCosts();

  // ---- guarded work
  /// Runs `work` down the ladder: same size once more (after clearing caches and a canary, with a short
  /// growing pause), fewer in flight, half the micro-batch (repeatedly), half the tile (repeatedly), the CPU
  /// out of the reserve, recorded failure. Exceptions of pools (OutOfMemory, bad_alloc) out of `work` count
  /// as kOutOfMemory. Where several in a row had to change the plan, those that follow begin with what went
  /// well, and the plan is tried again now and then.
  LadderOutcome Guarded(LadderWork& work, WorkPlace place, const StopFlag& stop);

  // ---- monitoring
  /// Every batch and memory over time, for the report. A copy.
  MemoryHistory History() const;

  struct Impl;

 private:
  friend class Lease;
  explicit MemoryManager(std::unique_ptr<Impl> impl);
  void Return(const Footprint& footprint, int reservation) noexcept;
  std::unique_ptr<Impl> impl_;
};
}  // namespace imgmill
