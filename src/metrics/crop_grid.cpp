// Every crop is correlated; across and down are sampled apart, since a crop is not turned.
#include "crop_grid.h"

#include <algorithm>
#include <cstddef>

namespace imgmill {
namespace {

// Places of the second picture's side that one place of the first one's is: of crops by up to 30 % of a side,
// either way.
constexpr double kScales[] = {1, 0.9, 0.8, 0.7, 1 / 0.9, 1 / 0.8, 1 / 0.7};
constexpr double kGrid = 0.05;  // of shifts, in parts of the second picture's side
constexpr double kLeastShared = 0.35;

/// Which pixels of a side of the second picture those of the first one are, and how much of the next one.
struct SideSamples {
  static constexpr size_t kMost = SmallPicture::kLongSide;
  std::array<int, kMost> from{};
  std::array<float, kMost> part{};
  int first = 0, end = 0;  // those that lie inside

  SideSamples(int length, int other, double scale, double shift) {
    end = 0;
    first = length;
    for (int i = 0; i < length; ++i) {
      const double at = (scale * (i + 0.5) / length + shift) * other - 0.5;
      if (!(at >= -0.01 && at <= other - 1 + 0.01)) continue;
      const double clamped = std::min(std::max(at, 0.0), other - 1 - 1e-6);
      from[static_cast<size_t>(i)] = static_cast<int>(clamped);
      part[static_cast<size_t>(i)] = static_cast<float>(clamped - static_cast<int>(clamped));
      first = std::min(first, i);
      end = i + 1;
    }
  }
  double share(int length) const { return static_cast<double>(std::max(end - first, 0)) / length; }
};

double CorrelationOf(const PictureLevel& a, const PictureLevel& b, const SideSamples& across,
                     const SideSamples& down) {
  PairSums sums;
  for (int y = down.first; y < down.end; ++y) {
    const auto at_y = static_cast<size_t>(y);
    const float* const upper = b.row(down.from[at_y]);
    const float* const lower = upper + b.width;
    const float fy = down.part[at_y];
    const float* const row = a.row(y);
    for (int x = across.first; x < across.end; ++x) {
      const auto at_x = static_cast<size_t>(x);
      const int from = across.from[at_x];
      const float fx = across.part[at_x];
      const float over = upper[from] + fx * (upper[from + 1] - upper[from]);
      const float under = lower[from] + fx * (lower[from + 1] - lower[from]);
      sums.Add(static_cast<double>(row[x]), static_cast<double>(over + fy * (under - over)));
    }
  }
  return sums.Correlation();
}

/// Calls `visit` with shifts that keep the smaller side inside of the larger one.
template <typename Visit>
void ForEachShift(double scale, const Visit& visit) {
  const double low = std::min(0.0, 1 - scale), high = std::max(0.0, 1 - scale);
  const int steps = std::max(1, static_cast<int>(std::ceil((high - low) / kGrid)));
  if (high - low < 1e-9) {
    for (const double shift : {-kGrid, 0.0, kGrid}) visit(shift);
    return;
  }
  for (int i = 0; i <= steps; ++i) visit(low + (high - low) * i / steps);
}

}  // namespace

std::array<PlaceMap, 3> BestCrops(const PictureLevel& first, const PictureLevel& second) {
  std::array<PlaceMap, 3> best;
  std::array<double, 3> found = {-1, -1, -1};
  const auto try_scale = [&](double scale_x, double scale_y) {
    ForEachShift(scale_x, [&](double shift_x) {
      const SideSamples across(first.width, second.width, scale_x, shift_x);
      ForEachShift(scale_y, [&](double shift_y) {
        const SideSamples down(first.height, second.height, scale_y, shift_y);
        const double share = across.share(first.width) * down.share(first.height);
        if (share < kLeastShared) return;
        // Of two equally alike, the one that shares more.
        double value = CorrelationOf(first, second, across, down) + 0.05 * share;
        PlaceMap map = {scale_x, 0, shift_x, 0, scale_y, shift_y};
        for (size_t i = 0; i < best.size(); ++i) {
          if (value <= found[i]) continue;
          std::swap(value, found[i]);
          std::swap(map, best[i]);
        }
      });
    });
  };
  // Either the sides were squeezed, or one of them was cropped.
  const double shape =
      static_cast<double>(second.width) * first.height / (static_cast<double>(second.height) * first.width);
  for (const double scale : kScales) {
    try_scale(scale, scale);
    if (std::abs(std::log(shape)) < 0.03) continue;
    try_scale(shape < 1 ? scale / shape : scale, shape < 1 ? scale : scale * shape);
    try_scale(shape < 1 ? scale : scale / shape, shape < 1 ? scale * shape : scale);
  }
  return best;
}

}  // namespace imgmill
