// What a run would come to: leases, images at once and the expected peak, found out before any pixel is read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// Bytes unless it counts something.
struct RunPlan {
  struct TooLarge {
    std::string path;
    size_t bytes = 0;  ///< that its lease would need
  };

  /// All was looked at; else the figures are those of a part, as a signal ended it.
  bool whole = false;
  uint64_t images = 0;          ///< that would be worked on
  uint64_t finished = 0;        ///< that an earlier run did already
  uint64_t refused = 0;         ///< that would fail for other reasons than memory
  uint64_t giving_nothing = 0;  ///< that hold nothing for this command, such as no tile
  size_t smallest_lease = 0;
  size_t median_lease = 0;
  size_t largest_lease = 0;
  int workers = 0;
  int at_once = 0;           ///< images in work at the same time where the leases are largest
  size_t expected_peak = 0;  ///< of the whole process
  /// The smallest budgets under which the run would go as planned, and with as many of the largest images at
  /// once as MostAtOnce.
  size_t planned_budget = 0;
  size_t workers_budget = 0;
  /// Images that cannot fit, the first kMostTooLarge of them, and the budget under which all would.
  uint64_t too_large = 0;
  std::vector<TooLarge> largest;
  size_t enough_budget = 0;
  std::vector<MemoryInfo::Reservation> reservations;  ///< of batches on devices

  /// With any amount of memory.
  int MostAtOnce() const {
    return static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(workers), images));
  }
};

inline constexpr size_t kMostTooLarge = 20;

/// Collects leases in the order of the listing.
class RunPlanner {
 public:
  RunPlanner(MemoryManager& memory, int workers);
  void AddLease(const Footprint& need);
  void AddTooLarge(const std::string& path, const Footprint& need);
  void AddFinished() { ++plan_.finished; }
  void AddRefused() { ++plan_.refused; }
  void AddGivingNothing() { ++plan_.giving_nothing; }
  RunPlan Finish();

 private:
  MemoryManager& memory_;
  RunPlan plan_;
  std::vector<uint32_t> leases_;  ///< in KiB, rounded up: four bytes an image
};

}  // namespace imgmill
