// A scene seen from elsewhere, as the next shot of a burst is.
#pragma once

#include <algorithm>
#include <cmath>

#include "commands/drawn_picture.h"

namespace imgmill::process_test {

/// A picture by its places, in which near things (in the middle) are moved by `move` pixels against the rest.
inline Image Moved(const Image& picture, double move) {
  const Layout& layout = picture.layout();
  return Draw(layout.width, layout.height, 3, [&](int64_t x, int64_t y, int band) {
    const double across = static_cast<double>(x) / static_cast<double>(layout.width);
    const double down = static_cast<double>(y) / static_cast<double>(layout.height);
    const double shift = move * std::sin(6.3 * across) * std::sin(6.3 * down);
    const int64_t from = std::clamp<int64_t>(x + std::llround(shift), 0, layout.width - 1);
    return static_cast<double>(picture.row(y)[from * 3 + band]);
  });
}

}  // namespace imgmill::process_test
