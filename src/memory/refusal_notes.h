// What pools have refused to the thread that asks: whoever swallows a refusal's exception cannot hide it.
#pragma once

#include <cstdint>

namespace imgmill {

/// Counted since the thread began.
struct RefusalNotes {
  uint64_t refusals = 0;
  /// Refusals that the pool's cap would have allowed, so that others than we hold the memory.
  uint64_t within_cap = 0;
};

RefusalNotes RefusalsOfThisThread() noexcept;
void NoteRefusal(bool within_cap) noexcept;

/// While it lives, what the kernel refuses to this thread is asked for again, a few times with short pauses,
/// before the pool refuses it. Work of hundreds of small allocations would else meet another refusal each
/// time it begins anew.
class PatienceScope {
 public:
  PatienceScope();
  ~PatienceScope();
  PatienceScope(const PatienceScope&) = delete;
  PatienceScope& operator=(const PatienceScope&) = delete;
  static bool IsOn() noexcept;
};

}  // namespace imgmill
