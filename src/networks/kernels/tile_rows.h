// Maps of features in memory, as the kernels that give 4x4 pixels at a time read and write them.
#pragma once

#include <cstddef>

#include "networks/kernels/conv_kernels.h"

namespace imgmill {

constexpr int TileCount(int pixels) {
  return (pixels + 3) / 4;
}

/// Pixels in a stored row: one before the first, and all that the last tile reaches.
constexpr size_t RowPixels(int width) {
  return static_cast<size_t>(4 * TileCount(width) + 2);
}

/// How many calls of a kernel make a row of tiles.
constexpr int TileBlocks(int tiles) {
  return (tiles + kMostWinogradTiles - 1) / kMostWinogradTiles;
}

struct TileSpan {
  int first = 0;
  int end = 0;
  int count() const { return end - first; }
};

/// The tiles of one call. All have nearly as many: a last one with a single tile would read all weights for
/// it.
constexpr TileSpan TilesOf(int tiles, int block, int blocks) {
  return {tiles * block / blocks, tiles * (block + 1) / blocks};
}

/// Of floats, so that what comes next begins with a cache line.
constexpr size_t Aligned(size_t count) {
  return (count + 15) / 16 * 16;
}

}  // namespace imgmill
