// The parts that the MemoryManager is made of, for the files that implement it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/memory/memory_manager.h"
#include "memory/admission.h"
#include "memory/batch_log_impl.h"
#include "memory/device_table.h"
#include "memory/host_budget.h"
#include "memory/leak_watch.h"
#include "memory/proc_file.h"
#include "memory/sampler.h"

namespace imgmill {

struct MemoryManager::Impl {
  Impl(const MemoryOptions& asked, const HostLimits& limits, HostBudget decided);
  ~Impl();

  const MemoryOptions options;
  const std::unique_ptr<const CacheStrategy> cache;
  const std::unique_ptr<const BatchSizing> sizing;
  const HostBudget budget;
  const Pressure pressure;
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  ResidentReader resident;
  Admission admission;
  DeviceTable devices;
  CostStore costs;
  ManagedDevice
      host_work;        ///< where host work is done: apart from the CPU rung, whose callers it may wait for
  DeviceGate cpu_gate;  ///< one CPU rung at a time: the reserve pays for one
  BatchLog log;
  std::array<std::atomic<uint64_t>, 7> rungs{};
  std::atomic<uint64_t> clears{0};
  std::atomic<double> clear_ms{0};
  std::atomic<bool> host_above_threshold{false};

  mutable std::mutex reservations_mutex;
  std::map<int, MemoryInfo::Reservation> reservations;
  int last_reservation = 0;

  std::atomic<size_t> host_work_bytes{0};  ///< predictions of what is in flight, devices in host memory too
  LeakWatch leaks;

  mutable std::mutex warnings_mutex;
  std::vector<std::string> warnings;
  uint64_t looks = 0;                            ///< of the sampler's thread, which alone counts them
  std::atomic<bool> short_of_addresses = false;  ///< why a part of the budget was unavailable last, if it was

  /// What the host's pool and those of devices that are made of its memory have mapped, kept blocks included.
  size_t Charged() const;
  /// Resident and charged bytes at one moment. Charged is read before and after, the higher counts: a block
  /// that goes in between must not look unexplained.
  HostSample Look() const;
  /// After a piece of host work: warns if work of its kind keeps memory.
  void LookForLeak(const std::string& work);
  /// One tick of the sampler.
  void Sample();
  /// What other processes leave of the budget.
  void LookAtOthers();
  /// What the user should hear if so many bytes of the budget could not be had for a while.
  std::optional<std::string> UnavailableWarning(size_t most) const;
  void Baseline();
  void ShareOut();
  void Warn(std::string text);
  void MarkLost(ManagedDevice& slot);
  /// Milliseconds since the manager was made.
  double Now() const;
  /// Counts and times `clear`. @return bytes given back
  size_t Clear(const std::function<size_t()>& clear);
  /// Empties the cache that work in this place allocates from.
  void ClearCache(WorkPlace place);
  /// Of the CPU rung, whose work is a device's, the host's.
  ManagedDevice& SlotOf(WorkPlace place) { return place.IsDevice() ? devices.At(place.device()) : host_work; }

  // Last: its thread uses all of the above.
  std::jthread sampler;
};

}  // namespace imgmill
