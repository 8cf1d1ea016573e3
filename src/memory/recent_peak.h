// The highest number of the recent past: what a pool's thrift is measured by.
#pragma once

#include <algorithm>
#include <cstddef>

namespace imgmill {

/// Remembers the peak over the last one to two windows of `kWindow` notes each, so that a long job's early
/// giant is forgotten. Counted in notes rather than seconds: equal work gives equal decisions.
class RecentPeak {
 public:
  /// @return whether a window has just ended, so that the peak may have fallen
  bool Note(size_t value) {
    current_ = std::max(current_, value);
    if (++notes_ < kWindow) return false;
    previous_ = current_;
    current_ = value;
    notes_ = 0;
    return true;
  }
  size_t value() const { return std::max(previous_, current_); }

 private:
  static constexpr int kWindow = 512;
  size_t previous_ = 0;
  size_t current_ = 0;
  int notes_ = 0;
};

}  // namespace imgmill
