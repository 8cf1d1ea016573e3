// What a run has learned of a device that work goes wrong on again and again: where to begin instead of
// trying all of it each time.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "imgmill/memory/ladder.h"

namespace imgmill {

/// For each kind of work on one device. Decides when the plan is tried, never what the results are worth:
/// what begins on a lower rung is marked with it. Thread-safe.
class Settling {
 public:
  /// So many in a row that had to change the plan settle the kind of work.
  static constexpr int kInARow = 3;
  /// The plan is tried again after so many works, then twice as many, up to the most.
  static constexpr int kFirstWait = 8;
  static constexpr int kLongestWait = 64;

  struct Start {
    std::optional<Attempt> lower;  ///< nothing: with the plan
    bool again = false;            ///< with the plan, after others have begun lower
  };
  /// Where a work should begin.
  Start Begin(const BatchLabel& label);

  /// A work was done as planned.
  void WentWell(const BatchLabel& label);
  /// A work had to change its plan, or began with another; `next` is what to begin with once it is settled.
  void ChangedPlan(const BatchLabel& label, const Attempt& next);

 private:
  struct Kind {
    int in_a_row = 0;
    bool settled = false;
    Attempt begin;
    /// Works that are expected to take less than all that went wrong are none of those: they have their plan.
    size_t least = 0;
    int wait = kFirstWait;
    int since = 0;
  };

  std::mutex mutex_;
  std::map<std::string, Kind> kinds_;  ///< by the label's work
};

}  // namespace imgmill
