// The exception that ends a run: the first one of any thread, kept until the threads are joined.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>

namespace imgmill {

class FirstException {
 public:
  /// Keeps the exception in flight, unless there is one already. To be called in a catch block.
  void Keep() {
    const std::lock_guard lock(mutex_);
    if (!thrown_) thrown_ = std::current_exception();
    any_ = true;
  }
  bool any() const { return any_; }
  /// Once no thread can throw any more.
  void Rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  std::atomic<bool> any_{false};
  std::mutex mutex_;
  std::exception_ptr thrown_;
};

}  // namespace imgmill
