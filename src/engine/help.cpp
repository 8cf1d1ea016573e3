// Fewer and fewer helpers, until they fit.
#include "imgmill/engine/help.h"

#include <algorithm>

#include "help_scope.h"
#include "image/work_crew.h"

namespace imgmill {
namespace {

thread_local MemoryManager* current_memory = nullptr;

}  // namespace

HelpScope::HelpScope(MemoryManager& memory) {
  current_memory = &memory;
}

HelpScope::~HelpScope() {
  current_memory = nullptr;
}

Help AskForHelp(const HelpOffer& offer) {
  if (current_memory == nullptr) return {};
  const int most = std::min(offer.most, WorkCrew::Get().Idle());
  for (int helpers = most; helpers > 0; helpers /= 2) {
    const auto count = static_cast<size_t>(helpers);
    const Footprint need = offer.once + Footprint{offer.each.pooled * count, offer.each.untracked * count};
    Result<Lease> lease = current_memory->TryAcquire(need);
    if (lease && *lease) return {helpers, *std::move(lease)};  // else not now, or never
  }
  return {};
}

}  // namespace imgmill
