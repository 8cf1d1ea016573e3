// The host's books: what the budget is spent on, and what follows for the pool's cap and for admission.
#pragma once

#include <algorithm>
#include <cstddef>

#include "imgmill/memory/memory_manager.h"
#include "memory/host_budget.h"

namespace imgmill {

/// One resident-set sample beside what the pools said at the same moment, in bytes.
struct HostSample {
  size_t resident = 0;
  size_t charged = 0;      ///< host pool and host-backed devices
  size_t cached = 0;       ///< freed and kept for reuse; part of `charged`
  size_t host_in_use = 0;  ///< the host pool's blocks alone, without its cache
};

/// Plain numbers, in bytes; admission's lock guards them.
struct HostLedger {
  size_t budget = 0;
  size_t fixed = 0;  ///< resident outside pools at the last baseline: program, libraries, their heaps
  size_t resident_blocks =
      0;                   ///< the host pool's blocks at the last baseline: weights and other lasting things
  size_t partitioned = 0;  ///< promised to host-backed devices with a pool of their own
  Footprint reservations;  ///< set aside for as long as a stage lives, whether it is at work or not
  Footprint leased;
  size_t leases = 0;
  size_t unexplained = 0;       ///< resident bytes beyond fixed, charged and untracked leases
  size_t overdrawn = 0;         ///< pool bytes in use beyond resident blocks and leases
  size_t peak_unexplained = 0;  ///< highest `unexplained`
  size_t unavailable = 0;       ///< of the budget, what the machine cannot spare now
  size_t peak_unavailable = 0;

  size_t InForce() const { return budget - std::min(budget, unavailable); }

  /// What the process holds for good, in pools and outside.
  size_t Lasting() const { return fixed + resident_blocks; }
  /// What no lease can change.
  size_t Committed() const { return Lasting() + partitioned + reservations.total(); }
  /// The budget less what no lease can change.
  size_t Room() const { return budget - std::min(budget, Committed()); }
  size_t Reserve() const { return ReserveFor(budget, Room()); }
  size_t LargestLease() const { return Room() - Reserve(); }
  /// The smallest budget whose LargestLease would be `need`: what every refusal and every advice names.
  size_t BudgetFor(size_t need) const { return SmallestBudgetFor(need, Committed()); }

  /// Of what can be leased, the part that cannot be had now.
  size_t Taken() const { return leased.total() + unexplained + overdrawn + unavailable; }

  /// Whether `need` may be granted now. What others took is waited for, but not for ever: with no lease out,
  /// whatever LargestLease allows is: what cannot be explained then is nobody's fault, and waiting would not
  /// change it.
  bool Admits(const Footprint& need) const {
    const size_t largest = LargestLease();
    if (leases == 0) return need.total() <= largest;
    return Taken() <= largest && need.total() <= largest - Taken();
  }

  /// Bytes outside of pools that somebody has a right to.
  size_t OutsidePools() const { return fixed + reservations.untracked + leased.untracked; }
  /// Blocks of the host pool that somebody has a right to.
  size_t Owed() const { return resident_blocks + reservations.pooled + leased.pooled; }

  /// What the host pool may charge. The reserve is part of it, since only admission keeps away from it, but
  /// for half: kept blocks would fill all of it, and libraries grow between two samples, by more than a
  /// quarter of the smallest reserve (tile, in 49 MiB). What was granted is always honoured, even if
  /// unexplained bytes have eaten the rest.
  size_t PoolCap() const {
    const size_t spent = OutsidePools() + partitioned + unexplained + unavailable + Reserve() / 2;
    return std::max(budget - std::min(budget, spent), std::min(budget, Owed()));
  }

  /// Takes in a sample. Unexplained bytes rise at once and fall slowly, as a decoder's burst comes again with
  /// the next image. @return whether anything changed
  bool Take(const HostSample& sample) {
    const size_t before = unexplained + overdrawn;
    const size_t explained = OutsidePools() + sample.charged;
    const size_t excess = sample.resident - std::min(sample.resident, explained);
    unexplained = excess >= unexplained ? excess : unexplained - (unexplained - excess + 7) / 8;
    peak_unexplained = std::max(peak_unexplained, unexplained);
    overdrawn = sample.host_in_use - std::min(sample.host_in_use, Owed());
    return before != unexplained + overdrawn;
  }
};

}  // namespace imgmill
