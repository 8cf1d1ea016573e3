// The search on the pyramids, coarse to fine.
#include "picture_alignment.h"

#include <algorithm>
#include <array>

#include "crop_grid.h"

namespace imgmill {
namespace {

constexpr size_t kUnknowns = 8;  // gain, offset, and the six numbers of a map
using Row = std::array<double, kUnknowns>;

/// Normal equations, solved by elimination with a little damping. False where they say nothing.
bool Solve(std::array<Row, kUnknowns>& matrix, Row& right) {
  for (size_t i = 0; i < kUnknowns; ++i) {
    for (size_t j = 0; j < i; ++j) matrix[i][j] = matrix[j][i];
  }
  for (size_t i = 0; i < kUnknowns; ++i) matrix[i][i] += 1e-4 * matrix[i][i] + 1e-6;
  for (size_t i = 0; i < kUnknowns; ++i) {
    if (!(matrix[i][i] > 1e-9)) return false;
    for (size_t below = i + 1; below < kUnknowns; ++below) {
      const double factor = matrix[below][i] / matrix[i][i];
      for (size_t j = i; j < kUnknowns; ++j) matrix[below][j] -= factor * matrix[i][j];
      right[below] -= factor * right[i];
    }
  }
  for (size_t i = kUnknowns; i-- > 0;) {
    for (size_t j = i + 1; j < kUnknowns; ++j) right[i] -= matrix[i][j] * right[j];
    right[i] /= matrix[i][i];
  }
  return true;
}

PairSums SumsOf(const PictureLevel& first, const PictureLevel& second, const PlaceMap& map,
                int pixel_step = 1) {
  PairSums sums;
  ForEachShared(first, second, map, 0, pixel_step, [&](int, int, float a, float b) {
    sums.Add(static_cast<double>(a), static_cast<double>(b));
  });
  return sums;
}

/// Whether enough pixels are shared for eight unknowns, and the map is no collapse.
bool IsSound(double shared, const PictureLevel& first, const PlaceMap& map) {
  const double area = std::abs(map.determinant());
  return shared >= 0.08 * first.width * first.height && area > 0.08 && area < 12;
}

struct Refining {
  int steps = 0;
  int pixel_step = 1;
};

/// Gauss-Newton: a + gradient(a) * change = gain * b + offset, in weighted least squares; the map then goes
/// back by that change. False if it runs away.
bool Refine(const PictureLevel& first, const PictureLevel& second, const Refining& how, PlaceMap& map) {
  const PairSums sums = SumsOf(first, second, map, how.pixel_step);
  const double pixels_of_one = how.pixel_step * how.pixel_step;
  if (!IsSound(sums.n * pixels_of_one, first, map)) return false;
  double gain = sums.DeviationOfA() / std::max(sums.DeviationOfB(), 0.5);
  double offset = (sums.a - gain * sums.b) / sums.n;
  double scale = sums.DeviationOfA() * std::sqrt(std::max(1 - std::abs(sums.Correlation()), 0.0)) + 1;
  double shared = 0;
  for (int step = 0; step < how.steps; ++step) {
    std::array<Row, kUnknowns> matrix{};
    Row right{};
    double residuals = 0;
    shared = 0;
    ForEachShared(first, second, map, 1, how.pixel_step, [&](int x, int y, float a, float b) {
      const float* const row = first.row(y) + x;
      const double one = static_cast<double>(a), other = static_cast<double>(b);
      const double residual = gain * other + offset - one;
      const double weight = 1 / (1 + residual * residual / (scale * scale));
      residuals += std::abs(residual);
      shared += 1;
      const double across = static_cast<double>(row[1] - row[-1]) * 0.5 * first.width;
      const double down = static_cast<double>(row[first.width] - row[-first.width]) * 0.5 * first.height;
      const double u = (x + 0.5) / first.width - 0.5, v = (y + 0.5) / first.height - 0.5;
      const Row part = {other, 1, -across * u, -across * v, -across, -down * u, -down * v, -down};
      for (size_t i = 0; i < kUnknowns; ++i) {
        const double weighted = weight * part[i];
        for (size_t j = i; j < kUnknowns; ++j) matrix[i][j] += weighted * part[j];
        right[i] += weighted * one;
      }
    });
    if (shared < 16 || !Solve(matrix, right)) return false;
    gain = right[0], offset = right[1];
    scale = 2 * residuals / shared + 1;
    // Of places from the middle: back to places from the corner.
    const PlaceMap change = {1 + right[2], right[3],     right[4] - 0.5 * (right[2] + right[3]),
                             right[5],     1 + right[6], right[7] - 0.5 * (right[5] + right[6])};
    if (std::abs(change.determinant()) < 0.2) return false;
    map = map.After(change.Inverse());
    const double moved =
        std::max((std::abs(right[2]) / 2 + std::abs(right[3]) / 2 + std::abs(right[4])) * first.width,
                 (std::abs(right[5]) / 2 + std::abs(right[6]) / 2 + std::abs(right[7])) * first.height);
    if (moved < 0.03) break;
  }
  return IsSound(shared * pixels_of_one, first, map);
}

/// Refines `map` on a coarse size, and says how alike they are there.
double Try(const PictureLevel& first, const PictureLevel& second, PlaceMap& map) {
  constexpr double kHopeless = 0.5;
  if (!Refine(first, second, {4, 2}, map)) return -1;
  const double alike = SumsOf(first, second, map).Correlation();
  PlaceMap finer = map;
  if (alike < kHopeless || !Refine(first, second, {6, 1}, finer)) return alike;
  map = finer;
  return SumsOf(first, second, map).Correlation();
}

}  // namespace

PlaceMap PlaceMap::Inverse() const {
  const double scale = 1 / determinant();
  PlaceMap back = {yy * scale, -xy * scale, 0, -yx * scale, xx * scale, 0};
  back.x = -(back.xx * x + back.xy * y);
  back.y = -(back.yx * x + back.yy * y);
  return back;
}

PlaceMap PlaceMap::After(const PlaceMap& first) const {
  return {xx * first.xx + xy * first.yx, xx * first.xy + xy * first.yy, xx * first.x + xy * first.y + x,
          yx * first.xx + yy * first.yx, yx * first.xy + yy * first.yy, yx * first.x + yy * first.y + y};
}

std::optional<PlaceMap> AlignPictures(const PicturePyramid& first, const PicturePyramid& second) {
  constexpr double kSure = 0.95;  // no other start can do better
  constexpr double kAlike = 0.6;  // copies have 0.83 or more at this size, strangers mostly below 0.55
  const size_t coarse = std::min<size_t>(1, std::max(first.levels(), second.levels()) - 1);
  PlaceMap best;
  double alike = Try(first.FromSmallest(coarse), second.FromSmallest(coarse), best);
  if (alike < kSure) {
    for (PlaceMap start : BestCrops(first.FromSmallest(0), second.FromSmallest(0))) {
      const double found = Try(first.FromSmallest(coarse), second.FromSmallest(coarse), start);
      if (found > alike) alike = found, best = start;
      if (alike >= kSure) break;
    }
  }
  if (alike < kAlike) return std::nullopt;
  for (size_t level = coarse + 1; level < std::max(first.levels(), second.levels()); ++level) {
    const bool last = level + 1 == PicturePyramid::kMostLevels;
    PlaceMap finer = best;
    const Refining how = {last ? 3 : 5, last ? 2 : 1};  // so many pixels that every other one will do
    if (!Refine(first.FromSmallest(level), second.FromSmallest(level), how, finer)) break;
    best = finer;
  }
  return best;
}

}  // namespace imgmill
