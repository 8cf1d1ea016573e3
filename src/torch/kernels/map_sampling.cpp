#include "torch/kernels/map_sampling.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace imgmill {
namespace {

/// Pixels that are convolved at once.
constexpr int kChunk = 32;

/// Between which two pixels of `size` a pixel of another size lies, and how near the second.
struct Between {
  Between(int at, int size, int wanted) {
    const float ratio = static_cast<float>(size) / static_cast<float>(wanted);
    const float place = std::max(0.0f, ratio * (static_cast<float>(at) + 0.5f) - 0.5f);
    first = std::min(static_cast<int>(place), size - 1);
    second = std::min(first + 1, size - 1);
    share = place - static_cast<float>(first);
  }
  int first = 0, second = 0;
  float share = 0;
};

}  // namespace

size_t StridedScratchFloats(const ConvLayer& layer) {
  return kChunk * (static_cast<size_t>(layer.in_channels) + static_cast<size_t>(layer.out_channels));
}

void StridedRow(const ConvKernels& kernels, const ConvLayer& layer, const WholeMap& from, int side,
                int stride, int y, int count, float* to, float* scratch) {
  const auto inputs = static_cast<size_t>(layer.in_channels),
             outputs = static_cast<size_t>(layer.out_channels);
  const auto padded = static_cast<size_t>(PaddedChannels(layer.out_channels));
  const size_t seen = static_cast<size_t>(side) * from.pixel;  // of a row, by one window
  float* results = scratch + kChunk * inputs;
  for (int x = 0; x < count; x += kChunk) {
    const int now = std::min(kChunk, count - x);
    float* gathered = scratch;
    for (int p = 0; p < now; ++p) {
      for (int i = 0; i < side; ++i, gathered += seen)
        std::memcpy(gathered, from.At(y * stride + i, (x + p) * stride), seen * sizeof(float));
    }
    kernels.run_dense(layer, scratch, now, results, DenseEnd::kNone);
    for (int p = 0; p < now; ++p, to += padded) {
      std::memcpy(to, results + static_cast<size_t>(p) * outputs, outputs * sizeof(float));
      std::memset(to + outputs, 0, (padded - outputs) * sizeof(float));
    }
  }
}

size_t DoubledScratchFloats(const ConvLayer& layer) {
  return kChunk * static_cast<size_t>(layer.out_channels);
}

void DoubledRows(const ConvKernels& kernels, const ConvLayer& layer, const float* from, int width,
                 float* const to[2], float* scratch) {
  const auto inputs = static_cast<size_t>(layer.in_channels),
             outputs = static_cast<size_t>(layer.out_channels) / 4;
  const auto padded = static_cast<size_t>(PaddedChannels(layer.out_channels / 4));
  for (int x = 0; x < width; x += kChunk) {
    const int now = std::min(kChunk, width - x);
    kernels.run_dense(layer, from + static_cast<size_t>(x) * inputs, now, scratch, DenseEnd::kNone);
    const float* value = scratch;
    for (int p = 0; p < now; ++p) {
      for (size_t each = 0; each < 4; ++each) {
        float* pixel = to[each / 2] + (2 * static_cast<size_t>(x + p) + each % 2) * padded;
        for (size_t c = 0; c < outputs; ++c, ++value)
          pixel[c] = *value > 0.0f ? *value : *value * layer.slope[c];
        std::memset(pixel + outputs, 0, (padded - outputs) * sizeof(float));
      }
    }
  }
}

void MeanOf(const WholeMap& from, float* to) {
  const double pixels = static_cast<double>(from.height) * from.width;
  for (size_t c = 0; c < from.pixel; c += kChannelPad) {
    double sums[kChannelPad] = {};
    for (int y = 0; y < from.height; ++y) {
      const float* at = from.At(y, 0) + c;
      for (int x = 0; x < from.width; ++x, at += from.pixel) {
        for (int i = 0; i < kChannelPad; ++i) sums[i] += static_cast<double>(at[i]);
      }
    }
    for (size_t i = 0; i < kChannelPad; ++i) to[c + i] = static_cast<float>(sums[i] / pixels);
  }
}

void Apply(MapFunction function, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (function == MapFunction::kSigmoid) values[i] = 1.0f / (1.0f + std::exp(-values[i]));
    if (function == MapFunction::kTanh) values[i] = std::tanh(values[i]);
  }
}

void ScaledRow(const float* from, const float* factors, const float* shifts, int width, size_t pixel,
               float* to) {
  for (int x = 0; x < width; ++x, from += pixel, to += pixel) {
    for (size_t c = 0; c < pixel; ++c) to[c] = from[c] * factors[c] + shifts[c];
  }
}

void AddRow(const float* from, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i) to[i] += from[i];
}

void MaxPoolRow(const WholeMap& from, int side, int stride, int y, int count, float* to) {
  for (int x = 0; x < count; ++x, to += from.pixel) {
    std::memcpy(to, from.At(y * stride, x * stride), from.pixel * sizeof(float));
    for (int i = 0; i < side; ++i) {
      for (int j = 0; j < side; ++j) {
        const float* value = from.At(y * stride + i, x * stride + j);
        for (size_t c = 0; c < from.pixel; ++c) to[c] = std::max(to[c], value[c]);
      }
    }
  }
}

void BilinearRow(const WholeMap& from, int height, int width, int y, float* to) {
  const Between rows(y, from.height, height);
  for (int x = 0; x < width; ++x, to += from.pixel) {
    const Between columns(x, from.width, width);
    const float *above = from.At(rows.first, columns.first),
                *above_right = from.At(rows.first, columns.second);
    const float *below = from.At(rows.second, columns.first),
                *below_right = from.At(rows.second, columns.second);
    for (size_t c = 0; c < from.pixel; ++c) {
      const float top = above[c] + columns.share * (above_right[c] - above[c]);
      const float bottom = below[c] + columns.share * (below_right[c] - below[c]);
      to[c] = top + rows.share * (bottom - top);
    }
  }
}

}  // namespace imgmill
