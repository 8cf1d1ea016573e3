// Bounds per window of images, and when they amount to a leak.
#include "memory/leak_watch.h"

#include <algorithm>

namespace imgmill {

size_t LeakWatch::Least(const Level& level) {
  return level.held - std::min(level.held, level.cached + level.at_work);
}

std::optional<LeakWatch::Leak> LeakWatch::Ended(const std::string& work, const Level& level) {
  const std::lock_guard lock(mutex_);
  if (work != work_) {
    work_ = work;
    full_ = in_window_ = 0;
  }
  if (in_window_ == 0 || level.held < now_.most) now_ = {level.held, Least(level)};
  if (++in_window_ < kWindow) return std::nullopt;
  in_window_ = 0;
  if (full_ == kWindows) {
    std::move(windows_.begin() + 1, windows_.end(), windows_.begin());
    --full_;
  }
  windows_[full_++] = now_;
  return Look();
}

std::optional<LeakWatch::Leak> LeakWatch::Look() const {
  if (full_ < kWindows || work_ == told_) return std::nullopt;
  constexpr size_t kImages = kWindow * (kWindows - 1);
  const size_t before = windows_.front().most;
  const size_t now = windows_.back().least;
  if (now < before + std::max(kWorryingBytes, kWorryingAnImage * kImages)) return std::nullopt;
  // Steadily: each quarter of the way has its part.
  const size_t part = (now - before) / 16;
  for (size_t i = 2; i < kWindows; i += 2) {
    if (windows_[i].most < windows_[i - 2].most + part) return std::nullopt;
  }
  return Leak{work_, now - before, kImages};
}

bool LeakWatch::Confirms(const Leak& leak, const Level& level) {
  const std::lock_guard lock(mutex_);
  const size_t before = windows_.front().most;
  const bool still = work_ == leak.work && full_ == kWindows && Least(level) >= before + kWorryingBytes;
  if (still) told_ = work_;
  full_ = in_window_ = 0;
  return still;
}

void LeakWatch::BeginAnew() {
  const std::lock_guard lock(mutex_);
  full_ = in_window_ = 0;
}

}  // namespace imgmill
