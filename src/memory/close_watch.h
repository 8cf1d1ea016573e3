// The peak of resident memory during one piece of work, looked for so often that little is missed.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>

namespace imgmill {

/// Looks at resident memory some ten thousand times a second from a thread of its own. What it sees is that
/// work's only if nothing else is at work. The kernel's own high-water mark (VmHWM) is not reset for this, as
/// it belongs to whoever measures the process; but where it rises meanwhile, it counts.
class CloseWatch {
 public:
  /// Caches are emptied first, so that what the work takes from them shows.
  /// @param pooled  bytes that all pools hold now, if batches of a device take from them beside the work.
  ///   Then only what grows beside the pools is seen; what the work itself takes from them is known without.
  explicit CloseWatch(std::function<size_t()> pooled = {});
  ~CloseWatch();
  CloseWatch(const CloseWatch&) = delete;
  CloseWatch& operator=(const CloseWatch&) = delete;

  /// Resident bytes at the start.
  size_t before() const { return before_; }
  /// Ends the watch. @return bytes by which resident memory (less what is pooled) had grown at its peak
  size_t Growth();

 private:
  void Watch();

  const std::function<size_t()> pooled_;
  size_t before_ = 0;
  size_t level_before_ = 0;
  size_t mark_before_ = 0;  ///< VmHWM
  std::atomic<size_t> peak_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace imgmill
