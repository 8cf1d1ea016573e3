// Counting works that went wrong in a row.
#include "memory/settling.h"

#include <algorithm>

namespace imgmill {

Settling::Start Settling::Begin(const BatchLabel& label) {
  const std::lock_guard lock(mutex_);
  const auto found = kinds_.find(label.work);
  if (found == kinds_.end() || !found->second.settled) return {};
  Kind& kind = found->second;
  if (label.predicted.total() < kind.least) return {};
  if (++kind.since <= kind.wait) return {kind.begin, false};
  kind.since = 0;
  kind.wait = std::min(2 * kind.wait, kLongestWait);
  return {std::nullopt, true};
}

void Settling::WentWell(const BatchLabel& label) {
  const std::lock_guard lock(mutex_);
  const auto found = kinds_.find(label.work);
  if (found == kinds_.end() || label.predicted.total() < found->second.least) return;
  kinds_.erase(found);
}

void Settling::ChangedPlan(const BatchLabel& label, const Attempt& next) {
  const std::lock_guard lock(mutex_);
  Kind& kind = kinds_[label.work];
  const size_t bytes = label.predicted.total();
  kind.least = kind.in_a_row == 0 ? bytes : std::min(kind.least, bytes);
  ++kind.in_a_row;
  kind.begin = next;
  kind.settled = kind.settled || kind.in_a_row >= kInARow;
}

}  // namespace imgmill
