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

  /// columns[i] += |row[i + 1] - row[i]|: reads count + 1 pixels.
  void (*column_steps)(const uint8_t* row, size_t count, uint16_t* columns);
  /// Sum of |row[i] - above[i]|.
  uint32_t (*row_steps)(const uint8_t* above, const uint8_t* row, size_t count);

  /// Of the 3x3 windows whose top left pixels are above[0..count): reads count + 2 pixels of each row.
  LaplacianSums (*laplacian)(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count);
  /// Sum of |1 -2 1; -2 4 -2; 1 -2 1| over the same windows.
  uint32_t (*noise)(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t count);
};

/// All that this machine can run, for tests: first the plain one, the oracle of the others, last the fastest.
const std::vector<SignalKernels>& AvailableSignalKernels();
inline const SignalKernels& BestSignalKernels() {
  return AvailableSignalKernels().back();
}

}  // namespace imgmill
