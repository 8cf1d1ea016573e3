// Correlations of small windows, from running sums.
#include "local_difference.h"

#include <algorithm>
#include <cmath>

namespace imgmill {
namespace {

constexpr int kWindow = 9;
constexpr int kStep = 2;
constexpr float kNoise = 6;              // variance, in squared levels of 255, that says nothing
constexpr double kLeastContrast = 0.25;  // of a window, in parts of the picture's
constexpr size_t kLeastWindows = 10;
constexpr double kCounted = 0.75;  // the others may show a caption, a hand, the edge of a border
constexpr float kNothing = -1;
// Values are taken from here, so that sums of squares stay small beside a float's precision.
constexpr float kMiddle = 128;

}  // namespace

LocalDifference::LocalDifference()
    : laid_(size_t{SmallPicture::kLongSide} * SmallPicture::kLongSide),
      columns_(SmallPicture::kLongSide),
      windows_(size_t{SmallPicture::kLongSide / kStep} * (SmallPicture::kLongSide / kStep)) {}

size_t LocalDifference::PooledBytes() {
  constexpr size_t kSide = SmallPicture::kLongSide;
  return kSide * kSide * sizeof(float) + kSide * sizeof(Sums) +
         (kSide / kStep) * (kSide / kStep) * sizeof(Window);
}

void LocalDifference::LayUpon(const PictureLevel& first, const PictureLevel& second, const PlaceMap& map) {
  const auto width = static_cast<size_t>(first.width);
  std::fill_n(laid_.data(), width * static_cast<size_t>(first.height), kNothing);
  ForEachShared(first, second, map, 0, 1, [&](int x, int y, float, float value) {
    laid_[static_cast<size_t>(y) * width + static_cast<size_t>(x)] = value;
  });
}

size_t LocalDifference::FindWindows(const PictureLevel& first, float squared_gain) {
  const auto width = static_cast<size_t>(first.width);
  const float gain = std::sqrt(squared_gain);
  size_t found = 0;
  for (int top = 0; top + kWindow <= first.height; top += kStep) {
    for (size_t x = 0; x < width; ++x) {
      Sums sums;
      for (int y = top; y < top + kWindow; ++y) {
        const float other = laid_[static_cast<size_t>(y) * width + x];
        if (other < 0) continue;
        const float a = first.row(y)[x] - kMiddle, b = other - kMiddle;
        sums.n += 1, sums.a += a, sums.b += b;
        sums.aa += a * a, sums.bb += b * b, sums.ab += a * b;
      }
      columns_[x] = sums;
    }
    for (size_t left = 0; left + kWindow <= width; left += kStep) {
      Sums sums;
      for (size_t x = left; x < left + kWindow; ++x) {
        const Sums& column = columns_[x];
        sums.n += column.n, sums.a += column.a, sums.b += column.b;
        sums.aa += column.aa, sums.bb += column.bb, sums.ab += column.ab;
      }
      constexpr float kPixels = kWindow * kWindow;
      if (sums.n < kPixels) continue;
      const float a = std::max(sums.aa - sums.a * sums.a / kPixels, 0.0f) / kPixels;
      const float b = std::max(sums.bb - sums.b * sums.b / kPixels, 0.0f) / kPixels * squared_gain;
      const float ab = (sums.ab - sums.a * sums.b / kPixels) / kPixels * gain;
      windows_[found++] = {std::max(a, b), 1 - (ab + kNoise) / std::sqrt((a + kNoise) * (b + kNoise))};
    }
  }
  return found;
}

double LocalDifference::Of(const PictureLevel& first, const PictureLevel& second, const PlaceMap& map) {
  PairSums sums;
  ForEachShared(first, second, map, 0, 1, [&](int, int, float a, float b) {
    sums.Add(static_cast<double>(a), static_cast<double>(b));
  });
  if (sums.n < kWindow * kWindow) return 1;
  LayUpon(first, second, map);
  const double gain = sums.DeviationOfA() / std::max(sums.DeviationOfB(), 0.5);
  const std::span<Window> all = windows_.span().first(FindWindows(first, static_cast<float>(gain * gain)));
  if (all.empty()) return 1;
  const double least = kLeastContrast * sums.DeviationOfA();
  const auto telling = std::max(static_cast<float>(least * least), kNoise);
  // The telling ones first; where there are too few, those that tell most.
  const auto end = std::partition(all.begin(), all.end(),
                                  [&](const Window& window) { return window.structure > telling; });
  auto counted = static_cast<size_t>(end - all.begin());
  if (counted < std::min(kLeastWindows, all.size())) {
    counted = std::min(kLeastWindows, all.size());
    std::sort(all.begin(), all.end(), [](const Window& a, const Window& b) {
      return a.structure != b.structure ? a.structure > b.structure : a.difference < b.difference;
    });
  }
  const std::span<Window> used = all.first(counted);
  const auto best = std::max<size_t>(1, static_cast<size_t>(kCounted * static_cast<double>(counted)));
  std::nth_element(used.begin(), used.begin() + static_cast<std::ptrdiff_t>(best - 1), used.end(),
                   [](const Window& a, const Window& b) { return a.difference < b.difference; });
  double difference = 0;
  for (const Window& window : used.first(best)) difference += static_cast<double>(window.difference);
  return std::max(difference / static_cast<double>(best), 0.0);
}

}  // namespace imgmill
