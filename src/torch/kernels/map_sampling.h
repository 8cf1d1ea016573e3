// Layers from one size of map to another: convolution by strides, pooling, and enlarging; and what is done
// with a whole map's mean. Mostly for maps that are small beside those of a network's other layers.
#pragma once

#include <cstddef>

#include "torch/kernels/conv_kernels.h"

namespace imgmill {

/// A function of each value by itself.
enum class MapFunction { kNone, kSigmoid, kTanh };

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

/// Floats of scratch that StridedRow takes.
size_t StridedScratchFloats(const ConvLayer& layer);

/// Row y of a convolution without padding. `layer` is dense over side * side pixels, each with its padding.
/// Writes `count` pixels of PaddedChannels(out_channels).
void StridedRow(const ConvKernels& kernels, const ConvLayer& layer, const WholeMap& from, int side,
                int stride, int y, int count, float* to, float* scratch);

/// Floats of scratch that DoubledRows takes.
size_t DoubledScratchFloats(const ConvLayer& layer);

/// Two rows of twice as many pixels as `from` has, which is dense: of each of its pixels, `layer` gives a
/// square of four, row by row, of a quarter of its outputs each. Negative values by the layer's slopes.
void DoubledRows(const ConvKernels& kernels, const ConvLayer& layer, const float* from, int width,
                 float* const to[2], float* scratch);

/// The mean of each channel: one pixel.
void MeanOf(const WholeMap& from, float* to);

/// That function of `count` values, in place.
void Apply(MapFunction function, float* values, size_t count);

/// from * factors + shifts, of `width` pixels of `pixel` floats; factors and shifts are one pixel's.
void ScaledRow(const float* from, const float* factors, const float* shifts, int width, size_t pixel,
               float* to);

void AddRow(const float* from, size_t count, float* to);

/// Row y of the largest value of each channel in windows.
void MaxPoolRow(const WholeMap& from, int side, int stride, int y, int count, float* to);

/// Row y of `from` at another size, of which it is said: bilinear between the centres of pixels, as PyTorch's
/// upsample_bilinear2d without align_corners.
void BilinearRow(const WholeMap& from, int height, int width, int y, float* to);

}  // namespace imgmill
