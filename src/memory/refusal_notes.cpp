// A count for each thread.
#include "memory/refusal_notes.h"

namespace imgmill {
namespace {

thread_local RefusalNotes notes;

}  // namespace

RefusalNotes RefusalsOfThisThread() noexcept {
  return notes;
}

void NoteRefusal(bool within_cap) noexcept {
  ++notes.refusals;
  if (within_cap) ++notes.within_cap;
}

}  // namespace imgmill
