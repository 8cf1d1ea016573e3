// Puts outcomes back into the order of the listing: workers finish in any order, records leave in one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "imgmill/engine/operation.h"

namespace imgmill {

/// Thread-safe; for Outcome, or what holds some. `emit` is called under the lock, so from one thread at a
/// time and in order of index, from 0. If it throws, Put does, and what comes later is dropped.
template <typename AnOutcome>
class OrderedOutcomes {
 public:
  explicit OrderedOutcomes(std::function<void(AnOutcome&)> emit) : emit_(std::move(emit)) {}

  void Put(uint64_t index, AnOutcome outcome) {
    const std::lock_guard lock(mutex_);
    if (broken_) return;
    waiting_.emplace(index, std::move(outcome));
    for (auto next = waiting_.find(next_); next != waiting_.end(); next = waiting_.find(next_)) {
      broken_ = true;
      emit_(next->second);
      broken_ = false;
      waiting_.erase(next);
      ++next_;
    }
    room_.notify_one();
  }

  /// Waits while `most` outcomes or more wait for one before theirs, which must be about to come from another
  /// thread: until GiveUp.
  void WaitForRoom(size_t most) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return waiting_.size() < most || given_up_; });
  }
  /// An outcome may never come.
  void GiveUp() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    room_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_;
  std::function<void(AnOutcome&)> emit_;
  std::map<uint64_t, AnOutcome> waiting_;
  uint64_t next_ = 0;
  bool broken_ = false;  // `emit` threw: nothing may follow what it has not taken
  bool given_up_ = false;
};

}  // namespace imgmill
