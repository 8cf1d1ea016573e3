// Whether an attempt that failed met a refusal of memory, whatever became of it on its way here.
#pragma once

#include <cstdint>
#include <functional>

#include "memory/device_table.h"
#include "memory/refusal_notes.h"

namespace imgmill {

/// Sees refusals that the work in between has hidden: an interpreter that catches the allocator's exception
/// and throws one of its own, say. To be made before an attempt, on its thread.
class RefusalWatch {
 public:
  explicit RefusalWatch(ManagedDevice& slot) : slot_(slot), before_(RefusalsOfThisThread()) {}

  /// Whether memory was refused meanwhile: to this thread, or on the device by its own count (which may have
  /// been another's refusal: then an attempt is made in vain). To be asked after every failure.
  bool Refused() {
    const uint64_t counted = slot_.device->Stats().out_of_memory_count;
    const bool rose = counted > slot_.refusals_seen.exchange(counted);
    return rose || RefusalsOfThisThread().refusals != before_.refusals;
  }
  /// Whether one of the refusals was the kernel's, with the pool's cap not reached.
  bool ByKernel() const { return RefusalsOfThisThread().within_cap != before_.within_cap; }

 private:
  ManagedDevice& slot_;
  const RefusalNotes before_;
};

/// Pools and the C++ library refuse by exception; to the ladder that is a status like any other.
Status WithoutBadAlloc(const std::function<Status()>& attempt, RefusalWatch& watch);

}  // namespace imgmill
