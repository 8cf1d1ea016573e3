// The request to stop: set by SIGINT or SIGTERM, asked between items by everything that loops or waits.
#pragma once

#include <atomic>

namespace imgmill {

/// A one-way switch. Passed by reference; safe to set from a signal handler.
class StopFlag {
 public:
  void RequestStop() noexcept { stop_.store(true, std::memory_order_relaxed); }
  bool StopRequested() const noexcept { return stop_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> stop_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");
};

}  // namespace imgmill
