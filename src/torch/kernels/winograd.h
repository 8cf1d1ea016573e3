// 3x3 convolution, stride 1, padding 1, float32, by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray,
// "Fast algorithms for convolutional neural networks", CVPR 2016), with bias and PReLU fused, one row of 4x4
// tiles at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imgmill {

/// Pixels are stored channels-last, each padded with zeros to a multiple of this many floats.
inline constexpr int kChannelPad = 16;

/// `static` gives each variant a copy of its own: see winograd_body.h.
static inline constexpr int PaddedChannels(int channels) {
  return (channels + kChannelPad - 1) / kChannelPad * kChannelPad;
}

/// A convolution ready to run. All pointers are to memory that its owner keeps.
struct WinogradLayer {
  int in_channels = 0;
  int out_channels = 0;
  const float* weights = nullptr;  ///< as PackWinogradWeights made them, for the same kernels
  const float* bias = nullptr;     ///< PaddedChannels(out_channels) values
  const float* slope = nullptr;    ///< factor for negative values, as many: 0 is ReLU, 1 is no activation
};

/// One row of tiles: image rows 4t .. 4t+3, and what they are made from.
struct WinogradRows {
  /// Rows 4t-1 .. 4t+4 of the input, each from pixel -1 to pixel 4 * tiles; zeros outside the image.
  const float* in[6] = {};
  /// Rows 4t .. 4t+3 of the output, each from pixel 0; null below the image.
  float* out[4] = {};
  int width = 0;  ///< pixels of the image; no output is written from here on
};

/// Tiles that one call may take: enough to reuse the weights, few enough to stay in the second-level cache.
inline constexpr int kMostWinogradTiles = 24;

/// Floats from one of the 36 planes in scratch to the next. A multiple of 4 KiB would put all of them into
/// the same cache sets, so a cache line is added.
static inline constexpr size_t WinogradPlane(size_t channels) {
  return kMostWinogradTiles * channels + 16;
}

/// The kernels of one instruction set. No result depends on how a row is cut into calls.
struct WinogradKernels {
  const char* name;  ///< "winograd-avx512"; part of the plan of numerics
  int block_floats;  ///< output channels of one packed block of weights
  /// Tiles first .. first + tiles - 1 of the row. `scratch`: WinogradScratchFloats of it, 64-byte aligned.
  void (*run)(const WinogradLayer& layer, const WinogradRows& rows, int first, int tiles, float* scratch);
};

/// The kernels of an instruction set ("avx512", "avx2", "sse2"); null where this machine or build lacks it.
const WinogradKernels* FindWinogradKernels(const char* isa);

/// The fastest of this machine, or those that $IMGMILL_ISA names; null where there are none, or none of that
/// name.
const WinogradKernels* BestWinogradKernels();

/// Transforms weights[out][in][3][3] into `packed`, which has PackedWinogradFloats.
void PackWinogradWeights(const WinogradKernels& kernels, const float* weights, int out_channels,
                         int in_channels, float* packed);
size_t PackedWinogradFloats(int out_channels, int in_channels);

/// For layers of up to this many input channels.
size_t WinogradScratchFloats(int in_channels);

}  // namespace imgmill
