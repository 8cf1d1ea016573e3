// How the values of one signal are spread over a run's images: what percentiles, places and charts are read
// from.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "filter_operation.h"

namespace imgmill {

/// The values of a signal, in ascending order, without those of images that have none.
class Distribution {
 public:
  explicit Distribution(std::span<const double> ascending) : values_(ascending) {}

  bool empty() const { return values_.empty(); }
  size_t size() const { return values_.size(); }
  double lowest() const { return values_.front(); }
  double highest() const { return values_.back(); }
  std::span<const double> values() const { return values_; }

  /// The p-th percentile, as Percentile() finds it for rules. There is at least one value.
  double At(double p) const;
  /// Which percentile a value is: the inverse of At, the middle of it where several images have that value.
  /// 0 below all others, 100 above. A single value is the 50th.
  double Place(double value) const;
  /// How many values are below; and how many are above.
  size_t Below(double value) const;
  size_t Above(double value) const;

 private:
  std::span<const double> values_;
};

/// Calls `each(column, distribution)` for each of the entries' first `columns` values; one column at a time
/// is in memory, leased and pooled.
Status ForEachDistribution(const FilterTable& entries, size_t columns, MemoryManager& memory,
                           const StopFlag& stop,
                           const std::function<void(size_t, const Distribution&)>& each);

}  // namespace imgmill
