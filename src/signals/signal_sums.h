// The whole-number sums that an image's pixel signals are made of, and the formulas from sums to values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "signals/grid_excess.h"

namespace imgmill {

struct SignalSums {
  int64_t width = 0;
  int64_t height = 0;
  bool colour = false;

  std::array<uint64_t, 256> histogram = {};  ///< of luma

  // Of rg = R - G and yb2 = R + G - 2 B; 2^43 pixels before the squares overflow.
  int64_t rg = 0;
  int64_t rg_squares = 0;
  int64_t yb2 = 0;
  int64_t yb2_squares = 0;
  /// Squares of second differences along rows, of some of the rows, and how many.
  uint64_t rg_bends = 0;
  uint64_t yb2_bends = 0;
  int64_t bends = 0;
  int32_t spread = 0;  ///< largest difference of two channels at one pixel

  int64_t laplacian = 0;
  int64_t laplacian_squares = 0;

  /// Steps of luma by the phase of the pixel after the step: across columns, and across rows.
  std::array<uint64_t, 8> column_steps = {};
  std::array<uint64_t, 8> row_steps = {};
  /// How those of the grid stand out: across columns, and across rows.
  GridExcess column_grid, row_grid;
};

/// Whether there is a grid of blocks that chance does not explain: what blockiness and jpeg_visible measure
/// is that of such a grid only.
bool HasBlockGrid(const SignalSums& sums);

// Each is the signal of the same name, as signal_set.h describes it.
double Brightness(const SignalSums& sums);
double Contrast(const SignalSums& sums);
double Entropy(const SignalSums& sums);
std::optional<double> SharpnessOf(const SignalSums& sums);
std::optional<double> Blockiness(const SignalSums& sums);
double Colorfulness(const SignalSums& sums);
double Grayscale(const SignalSums& sums);
double ClippedDark(const SignalSums& sums);
double ClippedBright(const SignalSums& sums);
/// The lowest level that at least so many percent of the pixels do not exceed.
double LumaPercentile(const SignalSums& sums, int percent);
double ColorCast(const SignalSums& sums);

}  // namespace imgmill
