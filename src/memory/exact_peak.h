// The kernel's own peak of one piece of work, where that was asked for.
#pragma once

#include <atomic>
#include <cstddef>

namespace imgmill {

/// From construction on, the highest growth of resident memory, if nothing else was at work meanwhile. Needs
/// Linux 4.0 (/proc/PID/clear_refs).
class ExactPeak {
 public:
  /// `at_work` counts who is at work; the one that this belongs to is counted already. Not `wanted`: nothing
  /// is measured, nor reset.
  ExactPeak(bool wanted, std::atomic<int>& at_work);

  /// Bytes; 0 where they are not known.
  size_t Growth() const;

 private:
  std::atomic<int>& at_work_;
  bool alone_ = false;
  size_t before_ = 0;
};

}  // namespace imgmill
