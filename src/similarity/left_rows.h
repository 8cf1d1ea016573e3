// The classes that a search by vectors has left, in the order of their rows.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>

#include "similarity/item_classes.h"
#include "similarity/row_windows.h"

namespace imgmill {

class LeftRows {
 public:
  /// @throws OutOfMemory
  LeftRows(const RowClasses& classes, const VectorRows& rows, const StopFlag& stop)
      : classes_(classes), rows_(rows), stop_(stop), left_(classes.count()), count_(classes.count()) {
    std::iota(left_.begin(), left_.end(), uint32_t{0});
    std::sort(left_.begin(), left_.end(),
              [&](uint32_t a, uint32_t b) { return classes.key(a) < classes.key(b); });
  }
  static size_t Bytes(size_t items) { return items * sizeof(uint32_t); }

  /// As VisitRows, of classes.
  template <typename Visit>
  Status ForEach(int threads, const Visit& visit) const {
    return VisitRows(
        rows_, std::span<const uint32_t>(left_.data(), count_), threads, stop_,
        [&](uint32_t class_id) { return classes_.key(class_id); }, visit);
  }

  void DropTaken() {
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      if (!classes_.taken(left_[i])) left_[kept++] = left_[i];
    }
    count_ = kept;
  }

 private:
  const RowClasses& classes_;
  const VectorRows& rows_;
  const StopFlag& stop_;
  PoolArray<uint32_t> left_;  // not taken, by row
  size_t count_;
};

}  // namespace imgmill
