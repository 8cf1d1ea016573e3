// The inner loops of the signals that look at a pixel's neighbourhood beyond the nearest, over short runs of
// a row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace imgmill {

/// What steps of luma are before and after a further blur, over some pixels: see BlurSums.
struct BlurPart {
  uint32_t steps = 0;
  uint32_t lost = 0;
};

struct LumaRange {
  uint8_t low = 255;
  uint8_t high = 0;
};

/// Half of the 11 pixels over which Crete's measure blurs.
inline constexpr int kBlurReach = 5;
/// Rows that a blur from top to bottom sees: that of the pixel, and 6 above and below.
inline constexpr size_t kBlurRows = 2 * kBlurReach + 3;
/// Both steps of a comb's tooth are larger than this, in levels.
inline constexpr int kToothLevels = 8;

/// Values of a Fourier transform.
inline constexpr size_t kTransformSize = 256;
/// exp(-pi i k / half) for k < half at half + k, for half = 1, 2, 4 ... kTransformSize / 2.
struct TransformTurns {
  std::array<double, kTransformSize> re;
  std::array<double, kTransformSize> im;
};

/// One implementation of the loops for one instruction set. `count` is 0 to kKernelRun (signal_kernels.h).
struct DetailKernels {
  std::string_view name;

  /// Sum of HSV's saturation, 0 to 255 and rounded, of planes with values 0..4080.
  uint32_t (*saturation)(const int16_t* red, const int16_t* green, const int16_t* blue, size_t count);

  /// Sum of gx^2 + gy^2 of Sobel's masks, of the 3x3 windows whose top left pixels are above[0..count). It
  /// fits 32 bits for kKernelRun windows.
  uint32_t (*gradients)(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count);

  /// Pixels that are above both, or below both, of their neighbours: of before[i], here[i], after[i].
  uint32_t (*extrema)(const uint8_t* before, const uint8_t* here, const uint8_t* after, size_t count);
  /// Places where a[i], b[i], c[i], d[i] go up, down and up, or down, up and down, by more than kToothLevels
  /// each, and by twice as much as a and c, or b and d, differ.
  uint32_t (*teeth)(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d, size_t count);

  /// Of columns: smoothed[i] = above[i] + 2 row[i] + below[i].
  void (*smooth)(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count,
                 int16_t* smoothed);
  /// Along a smoothed row, of the pixels smoothed[6 .. count + 6): reads count + 12 values.
  BlurPart (*blur_along)(const int16_t* smoothed, size_t count);
  /// Down kBlurRows rows, of the pixels rows[6][1 .. count + 1): reads count + 2 pixels of six of the rows.
  BlurPart (*blur_down)(const uint8_t* const* rows, size_t count);

  /// low[i] = min(low[i], row[i]), high[i] = max(high[i], row[i]); and those of the row itself.
  LumaRange (*extremes)(const uint8_t* row, size_t count, uint8_t* low, uint8_t* high);

  /// Fourier's transform in place (radix 2), of values in the order of their index's reversed bits.
  void (*transform)(const TransformTurns& turns, double* re, double* im);
};

/// All that this machine can run, for tests: first the plain one, the oracle of the others, last the fastest.
const std::vector<DetailKernels>& AvailableDetailKernels();
inline const DetailKernels& BestDetailKernels() {
  return AvailableDetailKernels().back();
}

}  // namespace imgmill
