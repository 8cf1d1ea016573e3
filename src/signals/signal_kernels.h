// The inner loops of the quality signals, over short runs of a row, so that 32-bit sums hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace imgmill {

/// Pixels of one call, at most: 1024 squared Laplacians (1020 each) still fit 31 bits.
inline constexpr size_t kKernelRun = 1024;

/// Sums over some pixels of rg = R - G and yb2 = R + G - 2 B, and the largest difference of two channels.
struct ColourSums {
  int32_t rg = 0;
  int32_t rg_squares = 0;
  int32_t yb2 = 0;
  int32_t yb2_squares = 0;
  int32_t spread = 0;
};

/// Sums of the squares of a[i] - 2 a[i + 1] + a[i + 2], of rg and of yb2: 1022 of at most 2040 fit 32 bits.
struct ColourBends {
  uint32_t rg = 0;
  uint32_t yb2 = 0;
};

struct LaplacianSums {
  int32_t sum = 0;
  int32_t squares = 0;
};

/// One implementation of the loops for one instruction set. `count` is 0 to kKernelRun.
struct SignalKernels {
  std::string_view name;

  /// Luma of `count` pixels of three planes with values 0..255.
  void (*luma)(const int16_t* red, const int16_t* green, const int16_t* blue, size_t count, uint8_t* luma);
  ColourSums (*colour)(const int16_t* red, const int16_t* green, const int16_t* blue, size_t count);
  ColourBends (*bends)(const int16_t* red, const int16_t* green, const int16_t* blue, size_t count);

  /// columns[i] += |row[i + 1] - row[i]|: reads count + 1 pixels.
  void (*column_steps)(const uint8_t* row, size_t count, uint16_t* columns);
  /// Sum of |row[i] - above[i]|.
  uint32_t (*row_steps)(const uint8_t* above, const uint8_t* row, size_t count);

  /// Of the 3x3 windows whose top left pixels are above[0..count): reads count + 2 pixels of each row.
  LaplacianSums (*laplacian)(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count);
  /// Of each of the same windows: mask[i] += |1 -2 1; -2 4 -2; 1 -2 1|, slope[i] += |row[i + 2] - row[i]|,
  /// and clipped[i] += 1 where row[i + 1] is 0, 1, 254 or 255.
  void (*noise)(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count, uint16_t* mask,
                uint16_t* slope, uint8_t* clipped);

  /// sums[i] += plane[i], of values 0..255 in up to four rows.
  void (*add_plane)(const int16_t* plane, size_t count, uint16_t* sums);
};

/// All that this machine can run, for tests: first the plain one, the oracle of the others, last the fastest.
const std::vector<SignalKernels>& AvailableSignalKernels();
inline const SignalKernels& BestSignalKernels() {
  return AvailableSignalKernels().back();
}

}  // namespace imgmill
