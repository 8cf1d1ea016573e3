// Layers from one size of map to another: convolution by strides, pooling, and enlarging by places that are
// learned; and what is done with a whole map's mean. Mostly for maps that are small beside those of a
// network's other layers.
#pragma once

#include <cstddef>
#include <span>

#include "networks/kernels/conv_kernels.h"

namespace imgmill {

/// A function of each value by itself.
enum class MapFunction { kNone, kSigmoid, kTanh, kGelu };

/// Rows of a map that a window sees, channels last and padded.
struct WindowRows {
  const float* rows[kMostWindowSide] = {};  ///< as many as the window's side, each from pixel 0; null: zeros
  int side = 0;
  int stride = 1;     ///< pixels from one window to the next
  size_t pixel = 0;   ///< floats from one pixel to the next
  size_t floats = 0;  ///< of a pixel that are seen
};

/// A whole map, channels last and padded.
struct WholeMap {
  const float* first = nullptr;  ///< of pixel 0 of row 0
  size_t row = 0;                ///< floats from one row to the next
  size_t pixel = 0;              ///< PaddedChannels
  int height = 0;
  int width = 0;

  const float* At(int y, int x) const {
    return first + static_cast<size_t>(y) * row + static_cast<size_t>(x) * pixel;
  }
};

/// Pixels of a side that windows of `side`, `stride` apart, fit into one of `size`.
constexpr int Windows(int size, int side, int stride) {
  return size < side ? 0 : (size - side) / stride + 1;
}

/// Floats of scratch that StridedRow and WideRow take.
size_t WindowScratchFloats(const ConvLayer& layer, int side);

/// A row of a convolution with bias and slope, without padding, of all of a pixel's floats. `layer` is dense
/// over side * side pixels, each with its padding. Writes `count` pixels of PaddedChannels(out_channels).
void StridedRow(const ConvKernels& kernels, const ConvLayer& layer, const WindowRows& from, int count,
                float* to, float* scratch);

/// Where a layer that keeps the size puts some pixels of a row.
struct WidePixels {
  float* row = nullptr;  ///< from pixel 0
  int width = 0;         ///< pixels of the row
  int first = 0, end = 0;
  size_t pixel = 0;   ///< floats from one pixel to the next
  size_t floats = 0;  ///< of a pixel that are written: the outputs, then zeros
};

/// Pixels of a row of a convolution that keeps the size, around which zeros stand. The same otherwise; null
/// rows are for it alone.
void WideRow(const ConvKernels& kernels, const ConvLayer& layer, const WindowRows& from, const WidePixels& to,
             float* scratch);

/// Floats of scratch that DoubledRows takes.
size_t DoubledScratchFloats(const ConvLayer& layer);

/// Two rows of twice as many pixels as `from` has, which is dense: of each of its pixels, `layer` gives a
/// square of four, row by row, of a quarter of its outputs each. Negative values by the layer's slopes.
void DoubledRows(const ConvKernels& kernels, const ConvLayer& layer, const float* from, int width,
                 float* const to[2], float* scratch);

/// A row of squares of `side` that become of pixels `from_pixel` floats apart. Row by row, each of a square's
/// pixels has `pixel` floats there, those of this row from `first` on.
void ShuffledRow(const float* from, size_t from_pixel, int side, size_t first, int width, size_t pixel,
                 float* to);

/// The mean of each of kChannelPad channels, the `block`th: of one pixel.
void MeanOf(const WholeMap& from, int block, float* to);

/// What a group norm multiplies and adds to `count` channels of a whole map: values less the mean of all of
/// them, over the root of their variance and `epsilon`, times the layer's slopes, and its biases.
void GroupFactors(const WholeMap& from, int first, int count, const ConvLayer& layer, float epsilon,
                  float* factors, float* shifts);

/// What is multiplied with and added to each of the layer's channels by its norm over a whole map, and how
/// large that is beside the mean of all channels' norms and `epsilon`: 1 and that share times the layer's
/// slopes, and its biases.
void EnergyFactors(const WholeMap& from, const ConvLayer& layer, float epsilon, float* factors,
                   float* shifts);

/// Each pixel's channels less their mean, over the root of their variance and `epsilon`, times the layer's
/// slope, and its bias.
void NormalizedRow(const float* from, const ConvLayer& layer, float epsilon, int width, float* to);

/// Of as many scores as there are widths, the largest share by softmax, so often as its width says, in its
/// place behind those before it. The others' places are left as they are.
void TakeBest(const float* scores, std::span<const int> widths, float* to);

/// That function of `count` values, in place.
void Apply(MapFunction function, float* values, size_t count);

/// from * factors + shifts, of `width` pixels of `pixel` floats; factors and shifts are one pixel's.
void ScaledRow(const float* from, const float* factors, const float* shifts, int width, size_t pixel,
               float* to);

/// Adds scale * from.
void AddRow(const float* from, float scale, size_t count, float* to);

/// The products of pixels of `pixel` floats.
void ProductRow(const float* one, size_t one_pixel, const float* other, size_t other_pixel, int width,
                size_t pixel, float* to);

/// A row of the largest value of each channel in windows.
void MaxPoolRow(const WindowRows& from, int count, float* to);

/// Where the pixels of a row look that is enlarged by places that were learned: see LayerGraph::AddSampled.
struct LearnedPlaces {
  int row = 0;  ///< of what is enlarged
  int scale = 1;
  int groups = 1;
  int channels = 0;               ///< of a group
  const float* places = nullptr;  ///< of the row that it comes of, from pixel 0
  size_t pixel = 0;               ///< floats from one pixel's places to the next
  const float* start = nullptr;
};

/// That row, of `width` pixels of `pixel` floats.
void SampledRow(const WholeMap& from, const LearnedPlaces& learned, int width, size_t pixel, float* to);

}  // namespace imgmill
