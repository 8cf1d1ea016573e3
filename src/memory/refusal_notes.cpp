// Counts for each thread.
#include "memory/refusal_notes.h"

namespace imgmill {
namespace {

thread_local RefusalNotes notes;
thread_local int patience = 0;  // scopes that live

}  // namespace

RefusalNotes RefusalsOfThisThread() noexcept {
  return notes;
}

void NoteRefusal(bool within_cap) noexcept {
  ++notes.refusals;
  if (within_cap) ++notes.within_cap;
}

PatienceScope::PatienceScope() {
  ++patience;
}

PatienceScope::~PatienceScope() {
  --patience;
}

bool PatienceScope::IsOn() noexcept {
  return patience > 0;
}

}  // namespace imgmill
