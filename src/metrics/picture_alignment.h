// Lays one picture upon another.
#pragma once

#include <cmath>
#include <optional>

#include "picture_pyramid.h"

namespace imgmill {

/// Where a place of the first picture lies in the second one. Places are 0 to 1 across and down each picture.
struct PlaceMap {
  double xx = 1, xy = 0, x = 0;
  double yx = 0, yy = 1, y = 0;

  double determinant() const { return xx * yy - xy * yx; }
  /// The other way round; the determinant is not 0.
  PlaceMap Inverse() const;
  /// This after `first`.
  PlaceMap After(const PlaceMap& first) const;
};

/// Pictures are PictureLevel or SmallPicture.
/// Walks over pixels of `first`, every `step`-th each way, that have a place inside of `second`, and gives
/// the value there, between four pixels: visit(x, y, value of the first, value of the second).
template <typename Picture, typename Visit>
void ForEachShared(const Picture& first, const Picture& second, const PlaceMap& map, int margin, int step,
                   const Visit& visit) {
  const double across = static_cast<double>(second.width), down = static_cast<double>(second.height);
  const double dx = map.xx * across / first.width, dy = map.yx * down / first.width;
  const double last_x = across - 1, last_y = down - 1;
  for (int y = margin; y < first.height - margin; y += step) {
    const double v = (y + 0.5) / first.height;
    const double u = 0.5 / first.width;
    const double row_x = (map.xx * u + map.xy * v + map.x) * across - 0.5;
    const double row_y = (map.yx * u + map.yy * v + map.y) * down - 0.5;
    const auto* const row = first.row(y);
    for (int x = margin; x < first.width - margin; x += step) {
      const double at_x = row_x + dx * x, at_y = row_y + dy * x;
      // A little outside is rounding, such as of two pictures that are laid edge on edge.
      if (!(at_x >= -0.01 && at_y >= -0.01 && at_x <= last_x + 0.01 && at_y <= last_y + 0.01)) continue;
      const double clamped_x = std::min(std::max(at_x, 0.0), last_x - 1e-6);
      const double clamped_y = std::min(std::max(at_y, 0.0), last_y - 1e-6);
      const int left = static_cast<int>(clamped_x), upper = static_cast<int>(clamped_y);
      const float fx = static_cast<float>(clamped_x - left), fy = static_cast<float>(clamped_y - upper);
      const auto* const from = second.row(upper) + left;
      const auto* const below = from + second.width;
      const float corners[] = {static_cast<float>(from[0]), static_cast<float>(from[1]),
                               static_cast<float>(below[0]), static_cast<float>(below[1])};
      const float over = corners[0] + fx * (corners[1] - corners[0]);
      const float under = corners[2] + fx * (corners[3] - corners[2]);
      visit(x, y, static_cast<float>(row[x]), over + fy * (under - over));
    }
  }
}

/// Sums over pairs of values, and what follows from them.
struct PairSums {
  double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;

  void Add(double one, double other) {
    n += 1, a += one, b += other;
    aa += one * one, bb += other * other, ab += one * other;
  }
  double DeviationOfA() const { return Root(aa - a * a / n, n); }
  double DeviationOfB() const { return Root(bb - b * b / n, n); }
  /// 0 where one of them is flat.
  double Correlation() const {
    const double product = (aa - a * a / n) * (bb - b * b / n);
    return product > 1e-6 * n * n ? (ab - a * b / n) / std::sqrt(product) : 0;
  }

 private:
  static double Root(double squares, double n) { return std::sqrt(std::max(squares / n, 0.0)); }
};

/// The map under which the second picture looks most like the first; nothing if none makes them alike.
std::optional<PlaceMap> AlignPictures(const PicturePyramid& first, const PicturePyramid& second);

}  // namespace imgmill
