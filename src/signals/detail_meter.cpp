// Keeps as many rows as the widest neighbourhood needs, and lets the kernels sum up each.
#include "signals/detail_meter.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "signals/signal_kernels.h"

namespace imgmill {
namespace {

constexpr int64_t kReach = kBlurReach + 1;  // rows and columns on either side that a blur sees
// What JPEG leaves of a bar's one level, away from the picture beside it.
constexpr int kBarSpread = 4;
// A clear sky changes slowly; a bar does not.
constexpr int kBarDrift = 1;

template <typename Each>
void ForRuns(int64_t count, const Each& each) {
  for (int64_t x = 0; x < count; x += static_cast<int64_t>(kKernelRun)) {
    each(static_cast<size_t>(x), std::min(kKernelRun, static_cast<size_t>(count - x)));
  }
}

}  // namespace

bool DetailMeter::IsWanted(SignalSet wanted) {
  const std::initializer_list<Signal> made = {
      Signal::kSpatialInformation, Signal::kBlur,   Signal::kJpegVisible,
      Signal::kLetterbox,          Signal::kBorder, Signal::kInterlacing};
  return std::any_of(made.begin(), made.end(), [&](Signal signal) { return wanted.Contains(signal); });
}

DetailMeter::DetailMeter(const Layout& layout, SignalSet wanted)
    : width_(layout.width),
      row_step_(RowStep(layout)),
      gradients_(wanted.Contains(Signal::kSpatialInformation) && layout.width >= 3),
      extrema_(wanted.Contains(Signal::kJpegVisible) && layout.width >= 3),
      teeth_(wanted.Contains(Signal::kInterlacing) && layout.width >= 4),
      blur_(wanted.Contains(Signal::kBlur) && layout.width > 2 * kReach),
      bars_(wanted.Contains(Signal::kLetterbox) || wanted.Contains(Signal::kBorder)),
      rows_(kRows * static_cast<size_t>(layout.width)) {
  sums_.width = layout.width;
  if (!bars_) return;
  low_ = PoolArray<uint8_t>(static_cast<size_t>(layout.width));
  high_ = PoolArray<uint8_t>(static_cast<size_t>(layout.width));
  low_.Fill(255);
  high_.Fill(0);
}

size_t DetailMeter::PooledBytes(const Layout& layout) {
  return (kRows + 2) * static_cast<size_t>(layout.width);
}

void DetailMeter::Add(const uint8_t* luma) {
  const int64_t y = sums_.height++;
  std::memcpy(rows_.data() + static_cast<size_t>(y) % kRows * static_cast<size_t>(width_), luma,
              static_cast<size_t>(width_));
  if (bars_) AddBars(luma, y);
  if (y % row_step_ != 0) return;
  if (y >= 2) ++sums_.rows_above_two;
  if (y >= 3) ++sums_.rows_above_three;
  if (gradients_ && y >= 2) AddGradients(y);
  if (extrema_ && y >= 2) AddExtrema(y);
  if (teeth_ && y >= 3) AddTeeth(y);
  if (blur_ && y >= 2 * kReach) AddBlur(y);
}

void DetailMeter::AddGradients(int64_t y) {
  ForRuns(width_ - 2, [&](size_t x, size_t count) {
    sums_.gradients += kernels_.gradients(Row(y - 2) + x, Row(y - 1) + x, Row(y) + x, count);
  });
}

void DetailMeter::AddExtrema(int64_t y) {
  const uint8_t* row = Row(y);
  ForRuns(width_ - 2, [&](size_t x, size_t count) {
    sums_.extrema[0] += kernels_.extrema(row + x, row + x + 1, row + x + 2, count);
  });
  ForRuns(width_, [&](size_t x, size_t count) {
    sums_.extrema[1] += kernels_.extrema(Row(y - 2) + x, Row(y - 1) + x, row + x, count);
  });
}

void DetailMeter::AddTeeth(int64_t y) {
  const uint8_t* row = Row(y);
  ForRuns(width_ - 3, [&](size_t x, size_t count) {
    sums_.teeth[0] += kernels_.teeth(row + x, row + x + 1, row + x + 2, row + x + 3, count);
  });
  ForRuns(width_, [&](size_t x, size_t count) {
    sums_.teeth[1] += kernels_.teeth(Row(y - 3) + x, Row(y - 2) + x, Row(y - 1) + x, row + x, count);
  });
}

void DetailMeter::AddBlur(int64_t y) {
  int16_t smoothed[kKernelRun + 2 * kReach];
  const uint8_t* rows[kBlurRows];
  for (size_t i = 0; i < kBlurRows; ++i) rows[i] = Row(y - 2 * kReach + static_cast<int64_t>(i));
  const auto add = [&](size_t axis, const BlurPart& part) {
    sums_.steps[axis] += part.steps;
    sums_.lost[axis] += part.lost;
  };
  ForRuns(width_ - 2 * kReach, [&](size_t x, size_t count) {
    kernels_.smooth(rows[kReach - 1] + x, rows[kReach] + x, rows[kReach + 1] + x, count + 2 * kReach,
                    smoothed);
    add(0, kernels_.blur_along(smoothed, count));
    const uint8_t* shifted[kBlurRows];
    for (size_t i = 0; i < kBlurRows; ++i) shifted[i] = rows[i] + x + kReach - 1;
    add(1, kernels_.blur_down(shifted, count));
  });
}

void DetailMeter::AddBars(const uint8_t* luma, int64_t y) {
  LumaRange all;
  ForRuns(width_, [&](size_t x, size_t count) {
    const LumaRange part = kernels_.extremes(luma + x, count, low_.data() + x, high_.data() + x);
    all.low = std::min(all.low, part.low);
    all.high = std::max(all.high, part.high);
  });
  const int middle = (all.low + all.high) / 2;
  const bool uniform = all.high - all.low <= kBarSpread;
  if (uniform && run_ > 0 && std::abs(middle - level_) <= kBarDrift) {
    ++run_;
  } else {
    run_ = uniform ? 1 : 0;
    level_ = middle;
    at_top_ = at_top_ && uniform && y == 0;
  }
  if (at_top_) sums_.bars.top = run_;
}

const DetailSums& DetailMeter::Finish() {
  if (!bars_) return sums_;
  Bars& bars = sums_.bars;
  bars.bottom = bars.top == sums_.height ? 0 : run_;
  const auto middle = [&](int64_t x) {
    return (low_[static_cast<size_t>(x)] + high_[static_cast<size_t>(x)]) / 2;
  };
  const auto in_bar = [&](int64_t x, int64_t edge) {
    return high_[static_cast<size_t>(x)] - low_[static_cast<size_t>(x)] <= kBarSpread &&
           std::abs(middle(x) - middle(edge)) <= kBarDrift;
  };
  while (bars.left < width_ && in_bar(bars.left, 0)) ++bars.left;
  if (bars.left == width_) return sums_;
  while (bars.left + bars.right < width_ && in_bar(width_ - 1 - bars.right, width_ - 1)) ++bars.right;
  return sums_;
}

}  // namespace imgmill
