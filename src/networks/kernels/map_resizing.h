// A map at another size: the largest values of its squares, and enlarging.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace imgmill {

/// How a map gets a larger size.
enum class Resizing { kBilinear, kNearest };

/// To the next smaller whole number.
constexpr int FloorDivided(int64_t value, int64_t by) {
  return static_cast<int>(value / by - (value % by < 0 ? 1 : 0));
}

/// Between which two pixels of `size` pixel `at` of `wanted` lies, and how near the second: bilinear between
/// the centres of pixels, as PyTorch's upsample_bilinear2d without align_corners.
struct Between {
  Between(int at, int size, int wanted) {
    const float ratio = static_cast<float>(size) / static_cast<float>(wanted);
    const float place = std::max(0.0f, ratio * (static_cast<float>(at) + 0.5f) - 0.5f);
    first = std::min(static_cast<int>(place), size - 1);
    second = std::min(first + 1, size - 1);
    share = place - static_cast<float>(first);
  }
  int first = 0, second = 0;
  float share = 0;
};

/// The pixel of `size` that pixel `at` of `wanted` shows, in float32 as PyTorch's upsample_nearest2d.
inline int NearestTo(int at, int size, int wanted) {
  const float ratio = static_cast<float>(size) / static_cast<float>(wanted);
  return std::min(static_cast<int>(static_cast<float>(at) * ratio), size - 1);
}

/// The pixels of `size` of which pixel `at` of `wanted` is made, one side of a square. Where they are no
/// multiple, squares overlap, as PyTorch's adaptive_max_pool2d has them.
struct StretchedSquare {
  StretchedSquare(int at, int size, int wanted)
      : first(FloorDivided(int64_t{at} * size, wanted)),
        end(-FloorDivided(-(int64_t{at} + 1) * size, wanted)) {}
  int first, end;
};

/// A row of a map at another width, out of the two rows that it lies between.
/// @param share  how near it is to the second
/// @param pixel  floats from one pixel to the next, of all rows
void BilinearRow(const float* above, const float* below, float share, int from_width, int width, size_t pixel,
                 float* to);

/// A row at another width, each pixel the one that is nearest.
void NearestRow(const float* from, int from_width, int width, size_t pixel, float* to);

/// Some channels of a row of a map.
struct RowChannels {
  const float* first = nullptr;  ///< of pixel 0, from the first of these channels on
  size_t pixel = 0;              ///< floats from one pixel to the next
  int width = 0;
};

/// Puts the largest values of each square of a row into `width` pixels of `floats`, a multiple of
/// kChannelPad: so many floats of each pixel are read, though some may be those of the next.
/// @param begins  this is the squares' first row; else the largest of what is there, too
void TakeLargest(const RowChannels& from, bool begins, int width, size_t floats, float* to);

}  // namespace imgmill
