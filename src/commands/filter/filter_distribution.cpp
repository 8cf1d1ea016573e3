// Sorts one column of values after the other.
#include "filter_distribution.h"

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

double Distribution::At(double p) const {
  const double place = p / 100 * static_cast<double>(values_.size() - 1);
  const auto below = static_cast<size_t>(place);
  const double share = place - static_cast<double>(below);
  if (share == 0) return values_[below];
  return values_[below] + (values_[below + 1] - values_[below]) * share;
}

double Distribution::Place(double value) const {
  if (values_.size() < 2) return 50;
  const auto below = static_cast<double>(Below(value));
  const double equal = static_cast<double>(values_.size() - Above(value)) - below;
  const double place = 100 * (below + std::max(0.0, equal - 1) / 2) / static_cast<double>(values_.size() - 1);
  return std::min(100.0, place);
}

size_t Distribution::Below(double value) const {
  return static_cast<size_t>(std::lower_bound(values_.begin(), values_.end(), value) - values_.begin());
}

size_t Distribution::Above(double value) const {
  return static_cast<size_t>(values_.end() - std::upper_bound(values_.begin(), values_.end(), value));
}

Status ForEachDistribution(const FilterTable& entries, size_t columns, MemoryManager& memory,
                           const StopFlag& stop,
                           const std::function<void(size_t, const Distribution&)>& each) {
  if (entries.empty()) {
    for (size_t column = 0; column < columns; ++column) each(column, Distribution({}));
    return {};
  }
  Lease lease = TRY(memory.Acquire({entries.size() * sizeof(double), 0}, stop));
  PoolArray<double> values(entries.size());
  for (size_t column = 0; column < columns; ++column) {
    size_t count = 0;
    TRY(entries.ForEach([&](const FilterEntry& entry) {
      if (!std::isnan(entry.values[column])) values[count++] = entry.values[column];
      return Status();
    }));
    const std::span<double> known = values.span().first(count);
    std::sort(known.begin(), known.end());
    each(column, Distribution(known));
  }
  return {};
}

}  // namespace imgmill
