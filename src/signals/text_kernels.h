// The inner loops of the share of text: what tells strokes of letters, in cells of 16x16 pixels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace imgmill {

/// Side of a cell in pixels: each is text or not.
inline constexpr size_t kTextCell = 16;
/// Distances to both sides at which a pixel's level is compared, along the row and down the column.
inline constexpr std::array<size_t, 4> kStrokeReaches = {1, 2, 4, 8};
/// Rows and columns on either side that a cell's strokes see.
inline constexpr size_t kTextReach = 8;
/// Rows that a row of cells sees.
inline constexpr size_t kTextRows = kTextCell + 2 * kTextReach;
/// Sums of a cell's pixels. Of each reach, along the row and then down the column: how much darker a pixel is
/// than both of two others, and how much lighter; then the steps to the next pixel, and to the next row.
inline constexpr size_t kStrokeSums = 4 * kStrokeReaches.size() + 2;
/// Both steps of a flat pixel are this at most, in levels.
inline constexpr int kFlatStep = 3;
/// A level is near to a cell's darkest or brightest if it is within its range over this.
inline constexpr int kNearPart = 8;

/// What is measured of a cell.
struct TextCell {
  std::array<int32_t, kStrokeSums> strokes = {};
  int32_t flat = 0;  ///< pixels
  int32_t low = 255, high = 0;
  int32_t near_low = 0, near_high = 0;  ///< pixels
  bool operator==(const TextCell&) const = default;
};

/// A layer's table: what it takes and gives are rows of values, one a cell.
struct TextLayer {
  size_t taken = 0, given = 0;
  const float* bias = nullptr;
  const float* weights = nullptr;
  bool rectified = false;
};

/// One implementation of the loops for one instruction set.
struct TextKernels {
  std::string_view name;

  /// Cells side by side, the first of which has its top left pixel at rows[kTextReach][0].
  /// @param rows  kTextRows of them, read from -kTextReach to count * kTextCell + kTextReach.
  void (*cells)(const uint8_t* const* rows, size_t count, TextCell* found);
  /// A layer of a network on the cells of a row: given[o][c] = bias[o] + the sum of taken[i][c] *
  /// weights[i * layer.given + o] over i, in that order; where `layer.rectified`, 0 if that is negative.
  /// Reads and writes up to 7 cells more than `count`.
  void (*layer)(const TextLayer& layer, const float* const* taken, size_t count, float* const* given);
  /// halved[i] = the mean of two pixels of either row, rounded: reads 2 * count pixels.
  void (*halve)(const uint8_t* above, const uint8_t* row, size_t count, uint8_t* halved);
};

/// All that this machine can run, for tests: first the plain one, the oracle of the others, last the fastest.
const std::vector<TextKernels>& AvailableTextKernels();
inline const TextKernels& BestTextKernels() {
  return AvailableTextKernels().back();
}

}  // namespace imgmill
