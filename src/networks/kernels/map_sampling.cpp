#include "networks/kernels/map_sampling.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace imgmill {
namespace {

/// Pixels that are convolved at once.
constexpr int kChunk = 32;

template <typename Value>
Value Sum(const Value (&values)[kChannelPad]) {
  Value sum = 0;
  for (const Value value : values) sum += value;
  return sum;
}

/// What a layer gives `count` pixels, activated, and zeros, so many floats of each; each `pixel` floats on.
void PutPixels(const ConvLayer& layer, const float* values, int count, size_t pixel, size_t floats,
               float* to) {
  const auto outputs = static_cast<size_t>(layer.out_channels);
  for (int p = 0; p < count; ++p, values += outputs, to += pixel) {
    for (size_t c = 0; c < outputs; ++c) to[c] = values[c] > 0.0f ? values[c] : values[c] * layer.slope[c];
    std::memset(to + outputs, 0, (floats - outputs) * sizeof(float));
  }
}

/// Between which two of `size` pixels a place lies, and how near the second. Outside there are the last ones;
/// what is no number is taken for 0, as by PyTorch's grid_sample.
struct InMap {
  InMap(float place, int size) {
    const float last = static_cast<float>(size - 1), at = place > 0.0f ? std::min(place, last) : 0.0f;
    first = static_cast<int>(at);
    second = std::min(first + 1, size - 1);
    share = at - static_cast<float>(first);
  }
  int first, second;
  float share;
};

}  // namespace

size_t WindowScratchFloats(const ConvLayer& layer, int side) {
  const size_t row = static_cast<size_t>(layer.in_channels / side);  // of one window
  return row * static_cast<size_t>(kChunk + side - 1) + kChunk * static_cast<size_t>(layer.out_channels);
}

void StridedRow(const ConvKernels& kernels, const ConvLayer& layer, const WindowRows& from, int count,
                float* to, float* scratch) {
  const auto padded = static_cast<size_t>(PaddedChannels(layer.out_channels));
  DensePieces seen;
  seen.count = from.side;
  seen.floats = static_cast<size_t>(from.side) * from.pixel;
  seen.step = static_cast<size_t>(from.stride) * from.pixel;
  for (int x = 0; x < count; x += kChunk) {
    const int now = std::min(kChunk, count - x);
    for (int i = 0; i < from.side; ++i) seen.first[i] = from.rows[i] + static_cast<size_t>(x) * seen.step;
    kernels.run_pieces(layer, seen, now, scratch);
    PutPixels(layer, scratch, now, padded, padded, to + static_cast<size_t>(x) * padded);
  }
}

void WideRow(const ConvKernels& kernels, const ConvLayer& layer, const WindowRows& from, const WidePixels& to,
             float* scratch) {
  const int reach = from.side / 2;
  const size_t floats = from.floats;
  DensePieces seen;
  seen.count = from.side;
  seen.floats = static_cast<size_t>(from.side) * floats;
  seen.step = floats;
  float* results =
      scratch + static_cast<size_t>(from.side) * static_cast<size_t>(kChunk + 2 * reach) * floats;
  for (int x = to.first; x < to.end; x += kChunk) {
    const int now = std::min(kChunk, to.end - x);
    // The pixels that these windows see, each row of them without what else a pixel has.
    const int left = x - reach, first = std::max(0, left), end = std::min(to.width, x + now + reach);
    float* copy = scratch;
    for (int i = 0; i < from.side; ++i) {
      seen.first[i] = from.rows[i] != nullptr ? copy : nullptr;
      if (from.rows[i] == nullptr) continue;
      const float* pixel = from.rows[i] + static_cast<size_t>(first) * from.pixel;
      copy = std::fill_n(copy, static_cast<size_t>(first - left) * floats, 0.0f);
      for (int at = first; at < end; ++at, pixel += from.pixel, copy += floats) {
        for (size_t c = 0; c < floats; c += kChannelPad)
          std::memcpy(copy + c, pixel + c, kChannelPad * sizeof(float));
      }
      copy = std::fill_n(copy, static_cast<size_t>(x + now + reach - end) * floats, 0.0f);
    }
    kernels.run_pieces(layer, seen, now, results);
    PutPixels(layer, results, now, to.pixel, to.floats, to.row + static_cast<size_t>(x) * to.pixel);
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

void GroupFactors(const WholeMap& from, int first, int count, const ConvLayer& layer, float epsilon,
                  float* factors, float* shifts) {
  double sums[kChannelPad] = {}, squares[kChannelPad] = {};
  for (int y = 0; y < from.height; ++y) {
    const float* pixel = from.At(y, 0) + first;
    for (int x = 0; x < from.width; ++x, pixel += from.pixel) {
      for (int c = 0; c < count; c += kChannelPad) {
        const int lanes = std::min(kChannelPad, count - c);
        for (int i = 0; i < lanes; ++i) {
          const auto value = static_cast<double>(pixel[c + i]);
          sums[i] += value;
          squares[i] += value * value;
        }
      }
    }
  }
  const double values = static_cast<double>(from.height) * from.width * count;
  const double mean = Sum(sums) / values;
  const double variance = std::max(0.0, Sum(squares) / values - mean * mean);
  const double factor = 1.0 / std::sqrt(variance + static_cast<double>(epsilon));
  for (int c = first; c < first + count; ++c) {
    const double weight = factor * static_cast<double>(layer.slope[c]);
    factors[c] = static_cast<float>(weight);
    shifts[c] = static_cast<float>(static_cast<double>(layer.bias[c]) - mean * weight);
  }
}

void EnergyFactors(const WholeMap& from, const ConvLayer& layer, float epsilon, float* factors,
                   float* shifts) {
  const auto channels = static_cast<size_t>(layer.out_channels);
  double sum = 0;
  for (size_t c = 0; c < channels; c += kChannelPad) {
    double squares[kChannelPad] = {};
    for (int y = 0; y < from.height; ++y) {
      const float* at = from.At(y, 0) + c;
      for (int x = 0; x < from.width; ++x, at += from.pixel) {
        for (int i = 0; i < kChannelPad; ++i)
          squares[i] += static_cast<double>(at[i]) * static_cast<double>(at[i]);
      }
    }
    for (size_t i = 0; i < kChannelPad && c + i < channels; ++i) {
      const double energy = std::sqrt(squares[i]);
      factors[c + i] = static_cast<float>(energy);
      sum += energy;
    }
  }
  const double mean = sum / static_cast<double>(channels) + static_cast<double>(epsilon);
  for (size_t c = 0; c < channels; ++c) {
    factors[c] =
        static_cast<float>(static_cast<double>(factors[c]) / mean * static_cast<double>(layer.slope[c]) + 1);
    shifts[c] = layer.bias[c];
  }
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

void TakeBest(const float* scores, std::span<const int> widths, float* to) {
  const float* const end = scores + widths.size();
  const float* const best = std::max_element(scores, end);
  double sum = 0;
  for (const float* score = scores; score < end; ++score)
    sum += std::exp(static_cast<double>(*score) - static_cast<double>(*best));
  const auto chosen = best - scores;
  for (const int width : widths.first(static_cast<size_t>(chosen))) to += width;
  std::fill_n(to, widths[static_cast<size_t>(chosen)], static_cast<float>(1 / sum));
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

void SampledRow(const WholeMap& from, const LearnedPlaces& learned, int width, size_t pixel, float* to) {
  const int scale = learned.scale, square = scale * scale, y = learned.row / scale;
  const auto channels = static_cast<size_t>(learned.channels);
  for (int at = 0; at < width; ++at, to += pixel) {
    const int x = at / scale, inner = learned.row % scale * scale + at % scale;
    const float* said = learned.places + static_cast<size_t>(x) * learned.pixel;
    const auto place = [&](int coordinate, int group) {
      const int index = (coordinate * learned.groups + group) * square + inner;
      return 0.5f * said[index] + learned.start[index];
    };
    float* values = to;
    for (int group = 0; group < learned.groups; ++group, values += channels) {
      const InMap column(static_cast<float>(x) + place(0, group), from.width);
      const InMap row(static_cast<float>(y) + place(1, group), from.height);
      const size_t first = static_cast<size_t>(group) * channels;
      const float *above = from.At(row.first, column.first) + first,
                  *above_right = from.At(row.first, column.second) + first,
                  *below = from.At(row.second, column.first) + first,
                  *below_right = from.At(row.second, column.second) + first;
      const float left = 1.0f - column.share, top = 1.0f - row.share;
      const float shares[4] = {left * top, column.share * top, left * row.share, column.share * row.share};
      for (size_t c = 0; c < channels; ++c) {
        values[c] = above[c] * shares[0] + above_right[c] * shares[1] + below[c] * shares[2] +
                    below_right[c] * shares[3];
      }
    }
    std::fill(values, to + pixel, 0.0f);
  }
}

}  // namespace imgmill
