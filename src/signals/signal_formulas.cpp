// From sums to values: the formulas of the pixel signals; their sources are in signal_set.h.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "signals/signal_sums.h"

namespace imgmill {
namespace {

constexpr double kMostBlockiness = 10'000;
constexpr int64_t kLeastBlockySide = 16;
// Standard errors by which a grid of blocks stands out: 2000 photos without one, blurred, noisy, enlarged or
// differently exposed, have 2 at most in 95 of 100 cases.
constexpr double kGridProminence = 4;
// Rounding in colour conversions gives grey pixels a spread of this much.
constexpr int32_t kGreySpread = 2;
// Levels at either end of luma that show nothing any more, JPEG's rounding included.
constexpr size_t kClipped = 2;

/// Variance of n values. n * squares - sum^2 needs up to 100 bits: in whole numbers it is exact, and only the
/// division rounds.
double Variance(int64_t n, int64_t sum, int64_t squares) {
  __extension__ using Wide = __int128;
  const Wide numerator = static_cast<Wide>(n) * squares - static_cast<Wide>(sum) * sum;
  return static_cast<double>(numerator) / (static_cast<double>(n) * static_cast<double>(n));
}

int64_t InnerPixels(const SignalSums& sums) {
  return std::max<int64_t>(0, sums.width - 2) * std::max<int64_t>(0, sums.height - 2);
}

/// Percent of the pixels whose luma is in this range, both ends included.
double ShareOfLevels(const SignalSums& sums, size_t first, size_t last) {
  uint64_t count = 0;
  for (size_t level = first; level <= last; ++level) count += sums.histogram[level];
  return 100 * static_cast<double>(count) / static_cast<double>(sums.width * sums.height);
}

/// How many of the pixels 1 .. side - 1 have this phase: each is the end of a step.
int64_t StepsAt(int64_t side, int64_t phase) {
  return (side - 1 - phase) / 8 + (phase == 0 ? 0 : 1);
}

}  // namespace

double Brightness(const SignalSums& sums) {
  uint64_t total = 0;
  for (size_t level = 0; level < 256; ++level) total += level * sums.histogram[level];
  return static_cast<double>(total) / static_cast<double>(sums.width * sums.height);
}

double Contrast(const SignalSums& sums) {
  int64_t total = 0;
  int64_t squares = 0;
  for (int64_t level = 0; level < 256; ++level) {
    const auto count = static_cast<int64_t>(sums.histogram[static_cast<size_t>(level)]);
    total += level * count;
    squares += level * level * count;
  }
  return std::sqrt(Variance(sums.width * sums.height, total, squares));
}

double Entropy(const SignalSums& sums) {
  const auto pixels = static_cast<double>(sums.width * sums.height);
  double bits = 0;
  for (const uint64_t count : sums.histogram) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / pixels;
    bits -= share * std::log2(share);
  }
  return std::max(0.0, bits);  // of one level it is -0
}

std::optional<double> SharpnessOf(const SignalSums& sums) {
  const int64_t pixels = InnerPixels(sums);
  if (pixels == 0) return std::nullopt;
  return Variance(pixels, sums.laplacian, sums.laplacian_squares);
}

bool HasBlockGrid(const SignalSums& sums) {
  return (sums.column_grid.Prominence() + sums.row_grid.Prominence()) / std::numbers::sqrt2 >=
         kGridProminence;
}

std::optional<double> Blockiness(const SignalSums& sums) {
  if (std::min(sums.width, sums.height) < kLeastBlockySide) return std::nullopt;
  if (!HasBlockGrid(sums)) return 0;
  uint64_t all_steps = 0;
  for (size_t phase = 0; phase < 8; ++phase) all_steps += sums.column_steps[phase] + sums.row_steps[phase];
  const int64_t all_count = (sums.width - 1) * sums.height + sums.width * (sums.height - 1);
  double strongest = 0;
  for (size_t across = 0; across < 8; ++across) {
    for (size_t down = 0; down < 8; ++down) {
      const uint64_t steps = sums.column_steps[across] + sums.row_steps[down];
      const int64_t count = StepsAt(sums.width, static_cast<int64_t>(across)) * sums.height +
                            StepsAt(sums.height, static_cast<int64_t>(down)) * sums.width;
      if (steps == 0) continue;
      const double border = static_cast<double>(steps) / static_cast<double>(count);
      const double inside = static_cast<double>(all_steps - steps) / static_cast<double>(all_count - count);
      // Images enlarged eight times without smoothing have no step inside.
      const double excess = inside > 0 ? 100 * (border / inside - 1) : kMostBlockiness;
      strongest = std::max(strongest, std::min(excess, kMostBlockiness));
    }
  }
  return strongest;
}

double Colorfulness(const SignalSums& sums) {
  const int64_t pixels = sums.width * sums.height;
  const double rg_mean = static_cast<double>(sums.rg) / static_cast<double>(pixels);
  const double yb_mean = static_cast<double>(sums.yb2) / static_cast<double>(pixels) / 2;
  // White noise of variance v has second differences of variance (1 + 4 + 1) v.
  const double bends = std::max(1.0, 6 * static_cast<double>(sums.bends));
  const double rg = Variance(pixels, sums.rg, sums.rg_squares) - static_cast<double>(sums.rg_bends) / bends;
  const double yb =
      (Variance(pixels, sums.yb2, sums.yb2_squares) - static_cast<double>(sums.yb2_bends) / bends) / 4;
  return std::sqrt(std::max(0.0, rg) + std::max(0.0, yb)) +
         0.3 * std::sqrt(rg_mean * rg_mean + yb_mean * yb_mean);
}

double ClippedDark(const SignalSums& sums) {
  return ShareOfLevels(sums, 0, kClipped);
}

double ClippedBright(const SignalSums& sums) {
  return ShareOfLevels(sums, 255 - kClipped, 255);
}

double LumaPercentile(const SignalSums& sums, int percent) {
  const auto pixels = static_cast<uint64_t>(sums.width * sums.height);
  uint64_t below = 0;
  for (size_t level = 0; level < 256; ++level) {
    below += sums.histogram[level];
    if (below * 100 >= pixels * static_cast<uint64_t>(percent)) return static_cast<double>(level);
  }
  return 255;
}

double ColorCast(const SignalSums& sums) {
  const int64_t pixels = sums.width * sums.height;
  const double rg = static_cast<double>(sums.rg) / static_cast<double>(pixels);
  const double yb = static_cast<double>(sums.yb2) / static_cast<double>(pixels) / 2;
  const double spread = std::sqrt(Variance(pixels, sums.rg, sums.rg_squares) +
                                  Variance(pixels, sums.yb2, sums.yb2_squares) / 4);
  return std::hypot(rg, yb) / std::max(spread, 1.0);
}

double Grayscale(const SignalSums& sums) {
  return sums.spread <= kGreySpread ? 1 : 0;
}

}  // namespace imgmill
