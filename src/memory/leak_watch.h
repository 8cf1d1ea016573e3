// Notices work that keeps memory: what the process holds is looked at after each image, also while others are
// at work, and a level that rises image after image is told with the operation's name.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

namespace imgmill {

/// What the process holds for good can only be bounded while images are at work: it is at most everything
/// that is resident, and at least that without caches and without all that the work under way may hold.
/// Windows of images keep the tightest bounds. Work leaks when its lower bound now exceeds the upper bound
/// eight windows ago by far, and the level rose all the way: a library that takes its share once makes a
/// step, not a slope.
///
/// Thread-safe.
class LeakWatch {
 public:
  /// Bytes at one moment.
  struct Level {
    size_t held = 0;     ///< resident, without mapped files
    size_t cached = 0;   ///< part of `held`: freed and kept for reuse
    size_t at_work = 0;  ///< that the other pieces of work under way may hold
  };
  struct Leak {
    std::string work;
    size_t bytes = 0;  ///< by which the level rose at the least
    size_t images = 0;
  };

  /// Images in a window, and windows that are compared: a leak shows after 180 images.
  static constexpr size_t kWindow = 20;
  static constexpr size_t kWindows = 9;
  /// Less than this is no leak: notes of a finished image are a few hundred bytes, allocators round
  /// generously.
  static constexpr size_t kWorryingBytes = size_t{4} << 20;
  static constexpr size_t kWorryingAnImage = size_t{16} << 10;

  /// One piece of `work` has ended. @return what may be a leak: ask Confirms after caches were emptied
  std::optional<Leak> Ended(const std::string& work, const Level& level);
  /// Whether it is still there. Either way the watch begins anew; a confirmed leak is not told again.
  bool Confirms(const Leak& leak, const Level& level);
  /// Something that stays was loaded, or the work is another one.
  void BeginAnew();

 private:
  struct Window {
    size_t most = 0;   ///< lowest upper bound
    size_t least = 0;  ///< the lower bound at that moment
  };

  std::optional<Leak> Look() const;
  static size_t Least(const Level& level);

  std::mutex mutex_;
  std::string work_;
  std::string told_;  ///< the last work that was accused
  std::array<Window, kWindows> windows_;
  size_t full_ = 0;  ///< windows that are complete
  Window now_;
  size_t in_window_ = 0;
};

}  // namespace imgmill
