// A point (x, y) goes to (a x + c y, b x + d y), y downwards.
#include "video/display_matrix.h"

#include <cmath>

namespace imgmill {

int OrientationOf(const int32_t* matrix) {
  const double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  constexpr double kDegree = 0.0175;  // as ffmpeg, which allows for one
  const bool straight = std::abs(b) <= kDegree * std::abs(a) && std::abs(c) <= kDegree * std::abs(d);
  const bool across = std::abs(a) <= kDegree * std::abs(b) && std::abs(d) <= kDegree * std::abs(c);
  if (straight == across) return a == 0 && b == 0 && c == 0 && d == 0 ? 1 : 0;
  if (straight) return d >= 0 ? (a >= 0 ? 1 : 2) : (a >= 0 ? 4 : 3);
  return c >= 0 ? (b >= 0 ? 5 : 8) : (b >= 0 ? 6 : 7);
}

}  // namespace imgmill
