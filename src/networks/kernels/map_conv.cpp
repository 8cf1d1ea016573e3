#include "networks/kernels/map_conv.h"

#include <algorithm>
#include <cstring>

#include "networks/kernels/tile_rows.h"

namespace imgmill {
namespace {

/// Pixels that the tiles of one call see.
constexpr int kSeen = 4 * kMostWinogradTiles + 2;

struct Cut {
  explicit Cut(const MapConv& conv)
      : height(conv.height + 2 * conv.padding - 2),
        width(conv.width + 2 * conv.padding - 2),
        tiles(TileCount(width)),
        blocks(TileBlocks(tiles)) {}
  int height, width;  ///< of the output
  int tiles, blocks;  ///< of a row
};

/// `count` pixels of input row y from pixel x on, zeros where there are none.
void CopyRow(const MapConv& conv, int y, int x, int count, size_t stride, float* to) {
  std::memset(to, 0, static_cast<size_t>(count) * stride * sizeof(float));
  if (y < 0 || y >= conv.height) return;
  const auto channels = static_cast<size_t>(conv.layer.in_channels);
  const int first = std::max(0, x), end = std::min(conv.width, x + count);
  const float* from =
      conv.input + static_cast<size_t>(y) * conv.row + static_cast<size_t>(first) * conv.pixel;
  to += static_cast<size_t>(first - x) * stride;
  for (int at = first; at < end; ++at, from += conv.pixel, to += stride)
    std::memcpy(to, from, channels * sizeof(float));
}

}  // namespace

int MapConvTasks(const MapConv& conv) {
  const Cut cut(conv);
  return TileCount(cut.height) * cut.blocks;
}

size_t MapConvScratchFloats(const ConvLayer& layer) {
  return Aligned(ConvScratchFloats(layer.in_channels)) +
         6 * kSeen * static_cast<size_t>(PaddedChannels(layer.in_channels)) +
         4 * 4 * kMostWinogradTiles * static_cast<size_t>(PaddedChannels(layer.out_channels));
}

void RunMapConv(const ConvKernels& kernels, const MapConv& conv, int task, float* scratch) {
  const Cut cut(conv);
  const int top = 4 * (task / cut.blocks), block = task % cut.blocks;
  const TileSpan tiles = TilesOf(cut.tiles, block, cut.blocks);
  const int left = 4 * tiles.first, seen = 4 * tiles.count() + 2;
  const auto in_stride = static_cast<size_t>(PaddedChannels(conv.layer.in_channels));
  const auto out_stride = static_cast<size_t>(PaddedChannels(conv.layer.out_channels));
  float* copies = scratch + Aligned(ConvScratchFloats(conv.layer.in_channels));
  float* results = copies + 6 * kSeen * in_stride;

  ConvRows rows;
  ConvInput& in = rows.in[0];
  in.channels = static_cast<int>(in_stride);
  // Where the tiles see nothing but the image, and its channels need no padding, it is read in place.
  const int y = top - conv.padding, x = left - conv.padding;
  const bool inside = x >= 0 && x + seen <= conv.width && y >= 0 && y + 6 <= conv.height &&
                      in_stride == static_cast<size_t>(conv.layer.in_channels);
  in.stride = static_cast<int>(inside ? conv.pixel : in_stride);
  for (int i = 0; i < 6; ++i) {
    float* copy = copies + static_cast<size_t>(i) * kSeen * in_stride;
    if (inside) {
      in.rows[i] = conv.input + static_cast<size_t>(y + i) * conv.row + static_cast<size_t>(x) * conv.pixel;
    } else {
      CopyRow(conv, y + i, x, seen, in_stride, copy);
      in.rows[i] = copy;
    }
  }
  const auto channels = static_cast<size_t>(conv.layer.out_channels);
  const bool dense = channels == out_stride;
  const auto output = [&](int i) {
    return conv.output +
           (static_cast<size_t>(top + i) * static_cast<size_t>(cut.width) + static_cast<size_t>(left)) *
               channels;
  };
  const int height = std::min(4, cut.height - top);
  for (int i = 0; i < height; ++i)
    rows.out[i] = dense ? output(i) : results + static_cast<size_t>(i * 4 * kMostWinogradTiles) * out_stride;
  rows.width = std::min(cut.width, 4 * tiles.end) - left;
  kernels.run(conv.layer, rows, 0, tiles.count(), scratch);
  if (dense) return;
  for (int i = 0; i < height; ++i) {
    const float* from = rows.out[i];
    float* to = output(i);
    for (int p = 0; p < rows.width; ++p, from += out_stride, to += channels)
      std::memcpy(to, from, channels * sizeof(float));
  }
}

}  // namespace imgmill
