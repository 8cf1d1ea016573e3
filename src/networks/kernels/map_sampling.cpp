#include "networks/kernels/map_sampling.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace imgmill {
namespace {

/// Pixels that are convolved at once.
constexpr int kChunk = 32;

float Sum(const float (&values)[kChannelPad]) {
  float sum = 0;
  for (const float value : values) sum += value;
  return sum;
}

/// A row of a layer that is dense over windows, each of which `gather(pixel, to)` puts together.
template <typename Gather>
void WindowedRow(const ConvKernels& kernels, const ConvLayer& layer, int count, float* to, float* scratch,
                 const Gather& gather) {
  const auto inputs = static_cast<size_t>(layer.in_channels),
             outputs = static_cast<size_t>(layer.out_channels);
  const auto padded = static_cast<size_t>(PaddedChannels(layer.out_channels));
  float* results = scratch + kChunk * inputs;
  for (int x = 0; x < count; x += kChunk) {
    const int now = std::min(kChunk, count - x);
    for (int p = 0; p < now; ++p) gather(x + p, scratch + static_cast<size_t>(p) * inputs);
    kernels.run_dense(layer, scratch, now, results, DenseEnd::kNone);
    for (int p = 0; p < now; ++p, to += padded) {
      const float* values = results + static_cast<size_t>(p) * outputs;
      for (size_t c = 0; c < outputs; ++c) to[c] = values[c] > 0.0f ? values[c] : values[c] * layer.slope[c];
      std::memset(to + outputs, 0, (padded - outputs) * sizeof(float));
    }
  }
}

}  // namespace

Between::Between(int at, int size, int wanted) {
  const float ratio = static_cast<float>(size) / static_cast<float>(wanted);
  const float place = std::max(0.0f, ratio * (static_cast<float>(at) + 0.5f) - 0.5f);
  first = std::min(static_cast<int>(place), size - 1);
  second = std::min(first + 1, size - 1);
  share = place - static_cast<float>(first);
}

size_t StridedScratchFloats(const ConvLayer& layer) {
  return kChunk * (static_cast<size_t>(layer.in_channels) + static_cast<size_t>(layer.out_channels));
}

void StridedRow(const ConvKernels& kernels, const ConvLayer& layer, const WindowRows& from, int count,
                float* to, float* scratch) {
  const size_t seen = static_cast<size_t>(from.side) * from.pixel;  // of a row, by one window
  const size_t step = static_cast<size_t>(from.stride) * from.pixel;
  WindowedRow(kernels, layer, count, to, scratch, [&](int x, float* gathered) {
    for (int i = 0; i < from.side; ++i, gathered += seen)
      std::memcpy(gathered, from.rows[i] + static_cast<size_t>(x) * step, seen * sizeof(float));
  });
}

void WideRow(const ConvKernels& kernels, const ConvLayer& layer, const WindowRows& from, int count, float* to,
             float* scratch) {
  const int reach = from.side / 2;
  const auto floats = [&](int pixels) { return static_cast<size_t>(pixels) * from.pixel; };
  WindowedRow(kernels, layer, count, to, scratch, [&](int x, float* gathered) {
    const int left = std::max(0, reach - x), first = x - reach + left;
    const int there = std::min(count, x + reach + 1) - first;
    for (int i = 0; i < from.side; ++i, gathered += floats(from.side)) {
      const float* const row = from.rows[i];
      if (row == nullptr) {
        std::memset(gathered, 0, floats(from.side) * sizeof(float));
        continue;
      }
      std::memset(gathered, 0, floats(left) * sizeof(float));
      std::memcpy(gathered + floats(left), row + floats(first), floats(there) * sizeof(float));
      std::memset(gathered + floats(left + there), 0, floats(from.side - left - there) * sizeof(float));
    }
  });
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

void ShuffledRow(const float* from, size_t from_pixel, int side, size_t first, int width, size_t pixel,
                 float* to) {
  for (int x = 0; x < width; from += from_pixel) {
    const int end = std::min(x + side, width);
    for (const float* each = from + first; x < end; ++x, each += pixel, to += pixel)
      std::memcpy(to, each, pixel * sizeof(float));
  }
}

void MeanOf(const WholeMap& from, int block, float* to) {
  const double pixels = static_cast<double>(from.height) * from.width;
  const size_t c = static_cast<size_t>(block) * kChannelPad;
  double sums[kChannelPad] = {};
  for (int y = 0; y < from.height; ++y) {
    const float* at = from.At(y, 0) + c;
    for (int x = 0; x < from.width; ++x, at += from.pixel) {
      for (int i = 0; i < kChannelPad; ++i) sums[i] += static_cast<double>(at[i]);
    }
  }
  for (size_t i = 0; i < kChannelPad; ++i) to[c + i] = static_cast<float>(sums[i] / pixels);
}

void NormalizedRow(const float* from, const ConvLayer& layer, float epsilon, int width, float* to) {
  const auto channels = static_cast<size_t>(layer.out_channels);
  const auto padded = static_cast<size_t>(PaddedChannels(layer.out_channels));
  const auto count = static_cast<float>(layer.out_channels);
  for (int x = 0; x < width; ++x, from += padded, to += padded) {
    float sums[kChannelPad] = {}, squares[kChannelPad] = {};
    for (size_t c = 0; c < channels; ++c) sums[c % kChannelPad] += from[c];
    const float mean = Sum(sums) / count;
    for (size_t c = 0; c < channels; ++c) {
      const float off = from[c] - mean;
      squares[c % kChannelPad] += off * off;
    }
    const float factor = 1.0f / std::sqrt(Sum(squares) / count + epsilon);
    for (size_t c = 0; c < channels; ++c) to[c] = (from[c] - mean) * factor * layer.slope[c] + layer.bias[c];
    std::memset(to + channels, 0, (padded - channels) * sizeof(float));
  }
}

void Apply(MapFunction function, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (function == MapFunction::kSigmoid) values[i] = 1.0f / (1.0f + std::exp(-values[i]));
    if (function == MapFunction::kTanh) values[i] = std::tanh(values[i]);
    if (function == MapFunction::kGelu) values[i] *= 0.5f * std::erfc(values[i] * -0.70710678f);
  }
}

void ScaledRow(const float* from, const float* factors, const float* shifts, int width, size_t pixel,
               float* to) {
  for (int x = 0; x < width; ++x, from += pixel, to += pixel) {
    for (size_t c = 0; c < pixel; ++c) to[c] = from[c] * factors[c] + shifts[c];
  }
}

void AddRow(const float* from, float scale, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i) to[i] += scale * from[i];
}

void ProductRow(const float* one, size_t one_pixel, const float* other, size_t other_pixel, int width,
                size_t pixel, float* to) {
  for (int x = 0; x < width; ++x, one += one_pixel, other += other_pixel, to += pixel) {
    for (size_t c = 0; c < pixel; ++c) to[c] = one[c] * other[c];
  }
}

void MaxPoolRow(const WindowRows& from, int count, float* to) {
  for (int x = 0; x < count; ++x, to += from.pixel) {
    const size_t first = static_cast<size_t>(x * from.stride) * from.pixel;
    std::memcpy(to, from.rows[0] + first, from.pixel * sizeof(float));
    for (int i = 0; i < from.side; ++i) {
      const float* value = from.rows[i] + first;
      for (int j = 0; j < from.side; ++j, value += from.pixel) {
        for (size_t c = 0; c < from.pixel; ++c) to[c] = std::max(to[c], value[c]);
      }
    }
  }
}

void BilinearRow(const float* above, const float* below, float share, int from_width, int width, size_t pixel,
                 float* to) {
  for (int x = 0; x < width; ++x, to += pixel) {
    const Between columns(x, from_width, width);
    const size_t left = static_cast<size_t>(columns.first) * pixel,
                 right = static_cast<size_t>(columns.second) * pixel;
    for (size_t c = 0; c < pixel; ++c) {
      const float top = above[left + c] + columns.share * (above[right + c] - above[left + c]);
      const float bottom = below[left + c] + columns.share * (below[right + c] - below[left + c]);
      to[c] = top + share * (bottom - top);
    }
  }
}

}  // namespace imgmill
