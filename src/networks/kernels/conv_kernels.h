// 3x3 convolution of stride 1, padding 1, float32, by Winograd's minimal filtering F(4x4, 3x3) (Lavin and
// Gray, "Fast algorithms for convolutional neural networks", CVPR 2016), and 1x1 convolution, with bias,
// activation and residuals fused, one row of 4x4 tiles at a time; and dense layers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "networks/kernels/kernel_choice.h"

namespace imgmill {

/// Pixels are stored channels-last, each padded with zeros to a multiple of this many floats.
inline constexpr int kChannelPad = 16;

/// `static` gives each variant a copy of its own: see vector_body.h.
static inline constexpr int PaddedChannels(int channels) {
  return (channels + kChannelPad - 1) / kChannelPad * kChannelPad;
}

/// What becomes of a convolution's value v, bias included.
enum class ConvEnd {
  kSlope,      ///< v * slope where v is negative; then * gain, and what is added to it
  kSilu,       ///< v * sigmoid(v); the same then
  kGelu,       ///< v * the normal distribution's share below v; the same then
  kMish,       ///< v * tanh(log(1 + e^v)) * slope; the same then
  kGate,       ///< (v + added[0]) * (sigmoid(v) - 0.5)
  kWeigh,      ///< added[0] * sigmoid(v); then what else is added
  kWeighGelu,  ///< the same with what kGelu makes of v in place of sigmoid(v)
  kSumSlope,   ///< v * gain and what is added to it; then * slope where that is negative
  kSumGelu,    ///< the same; then as kGelu
};

/// Whether the first of what is added is for more.
static inline constexpr bool Gates(ConvEnd end) {
  return end == ConvEnd::kGate || end == ConvEnd::kWeigh || end == ConvEnd::kWeighGelu;
}

/// A convolution ready to run. All pointers are to memory that its owner keeps.
struct ConvLayer {
  int in_channels = 0;  ///< of the packed weights; where several inputs are read, each but the last padded
  int out_channels = 0;
  const float* weights = nullptr;  ///< as `pack` made them, of the same kernels
  const float* bias = nullptr;     ///< PaddedChannels(out_channels) values
  const float* slope = nullptr;    ///< as many: 0 is ReLU, 1 is no activation
  ConvEnd end = ConvEnd::kSlope;
  float gain = 1;
  float shift = 0;  ///< one more thing that is added, of ends to which things are; not by run_dense
};

/// A map that a convolution reads. Several are read as if the channels of each stood behind those before.
struct ConvInput {
  /// Rows 4t-1 .. 4t+4 of the input, each from pixel -1 to pixel 4 * tiles; zeros outside the image. Without
  /// padding: rows 4t .. 4t+5, from pixel 0 to pixel 4 * tiles + 1.
  const float* rows[6] = {};
  int stride = 0;        ///< floats from one pixel to the next
  int channels = 0;      ///< a multiple of kChannelPad
  bool doubled = false;  ///< each pixel stands for two of a row; the rows are chosen by the caller
};

/// Something that is added to what a convolution gives.
struct ConvAdded {
  const float* rows[4] = {};  ///< 4t .. 4t+3, each from pixel 0, stored as the output is
  float scale = 1;
};

inline constexpr int kMostConvInputs = 6;
inline constexpr int kMostConvAdded = 2;
inline constexpr int kMostDepthwiseSide = 31;
inline constexpr int kMostWindowSide = 31;

/// One row of a convolution of each channel by itself, zeros outside the image. Layer's weights:
/// [side * across][PaddedChannels(out_channels)]. What is added and what comes out is dense. Its end is none
/// that Gates.
struct DepthwiseRow {
  const float* rows[kMostDepthwiseSide] = {};  ///< y - side / 2 and on, each from pixel 0; null outside
  size_t pixel = 0;                            ///< floats from one pixel of these to the next
  int side = 3;                                ///< odd, up to kMostDepthwiseSide
  int across = 3;                              ///< the same of the kernel's columns
  int width = 0;
  const float* added[kMostConvAdded] = {};  ///< rows, each from pixel 0
  float scales[kMostConvAdded] = {};
  int additions = 0;
  float* out = nullptr;
};

/// One row of tiles: image rows 4t .. 4t+3, and what they are made from.
struct ConvRows {
  ConvInput in[kMostConvInputs];
  int inputs = 1;
  ConvAdded added[kMostConvAdded];
  int additions = 0;
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

/// Weights as a file has them, and where they go.
struct ConvPacking {
  const float* weights = nullptr;  ///< [out_channels][of the file][3][3], or [1][1]
  int file_channels = 0;           ///< input channels in the file
  const int* from = nullptr;       ///< for each packed input channel the file's, -1 for none; null: the same
  int in_channels = 0;
  int out_channels = 0;
};

/// What becomes of a dense layer's value v, bias included.
enum class DenseEnd {
  kNone,
  kAdd,       ///< what is in the output already, plus v
  kGelu,      ///< v * the normal distribution's share below v
  kQuickGelu  ///< v * sigmoid(1.702 v)
};

/// What the rows of a dense layer see, each in as many pieces as a window has rows.
struct DensePieces {
  const float* first[kMostWindowSide] = {};  ///< of row 0; null for zeros, which are passed over
  int count = 1;
  size_t floats = 0;  ///< of each piece; `count` times as many are the layer's in_channels
  size_t step = 0;    ///< floats from a row's piece to the next row's
};

/// Rows of floats, so many floats apart.
struct FloatRows {
  const float* first = nullptr;
  size_t stride = 0;
};

/// Softmax attention of one head: out[t] = sum over u of softmax_u(scale * queries[t] . keys[u] + bias[t][u])
/// * values[u].
struct AttentionHead {
  FloatRows queries, keys, values;  ///< of `features` floats
  FloatRows bias;                   ///< of as many floats as there are keys; null for none
  float* out = nullptr;
  size_t out_stride = 0;
  int query_count = 0;
  int key_count = 0;
  int features = 0;
  float scale = 1;
  bool causal = false;  ///< a token sees itself and those before it
};

size_t AttentionScratchFloats(int key_count, int features);

/// The kernels of one instruction set. No result depends on how a row is cut into calls.
struct ConvKernels {
  const char* name;  ///< "winograd-avx512"; part of the plan of numerics
  int block_floats;  ///< output channels of one packed block of weights
  /// 3x3: tiles first .. first + tiles - 1 of the row. `scratch`: ConvScratchFloats of it, 64-byte aligned.
  void (*run)(const ConvLayer& layer, const ConvRows& rows, int first, int tiles, float* scratch);
  /// 1x1: the pixels of those tiles.
  void (*run_1x1)(const ConvLayer& layer, const ConvRows& rows, int first, int tiles, float* scratch);
  /// Transforms the weights of one block of output channels for `run`. `packed` is the whole layer's.
  void (*pack)(const ConvPacking& packing, int block, float* packed);
  void (*pack_1x1)(const ConvPacking& packing, int block, float* packed);
  /// A dense layer, whose weights `pack_1x1` packed: out[rows][out_channels] = in[rows][in_channels] *
  /// weights + bias. Slope and what follows it are not looked at. What a row gives does not depend on how
  /// many there are.
  void (*run_dense)(const ConvLayer& layer, const float* in, int rows, float* out, DenseEnd end);
  /// The same, without an end, of rows that overlap or that lie apart.
  void (*run_pieces)(const ConvLayer& layer, const DensePieces& in, int rows, float* out);
  void (*attend)(const AttentionHead& on, float* scratch);
  void (*run_depthwise)(const ConvLayer& layer, const DepthwiseRow& row);
  /// Each value times the normal distribution's share below it, in place; `count` is a multiple of
  /// kChannelPad.
  void (*gelu)(float* values, size_t count);
  int blocks(int out_channels) const {
    return (PaddedChannels(out_channels) + block_floats - 1) / block_floats;
  }
};

/// Of a 3x3 convolution; a 1x1 has a 36th of it.
size_t PackedWinogradFloats(int out_channels, int in_channels);

/// For layers of up to this many input channels.
size_t ConvScratchFloats(int in_channels);

}  // namespace imgmill
