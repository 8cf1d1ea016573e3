// Weights as Pillow rounds them, and the two passes that apply them.
#include "signals/resize_pass.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "signals/row_kernels.h"

namespace imgmill {
namespace {

constexpr double kLobes = 3.0;
constexpr uint32_t kHalf = uint32_t{1} << (ResizeWeights::kFractionBits - 1);

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double Lanczos(double x) {
  return -kLobes <= x && x < kLobes ? Sinc(x) * Sinc(x / kLobes) : 0.0;
}

double Triangle(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

double Scale(int64_t input, int64_t output) {
  return static_cast<double>(input) / static_cast<double>(output);
}

double Support(int64_t input, int64_t output, ResizeFilter filter) {
  return (filter == ResizeFilter::kLanczos ? kLobes : 1.0) * std::max(1.0, Scale(input, output));
}

size_t TapsOf(int64_t input, int64_t output, ResizeFilter filter) {
  const auto widest = static_cast<size_t>(std::ceil(Support(input, output, filter))) * 2 + 1;
  return std::min(widest, static_cast<size_t>(input));
}

// How many outputs can reach one input pixel: their centres lie within the support (and half a pixel of
// rounding) on either side of it.
size_t OpenOutputs(int64_t input, int64_t output, ResizeFilter filter) {
  const double reach = 2 * Support(input, output, filter) + 1;
  return std::min(static_cast<size_t>(std::ceil(reach / Scale(input, output))) + 1,
                  static_cast<size_t>(output));
}

size_t RoundUp(size_t n, size_t step) {
  return (n + step - 1) / step * step;
}

// A sum in fixed point to 8 bits, as Pillow clips it: a shift that rounds down, then 0..255.
uint8_t ToByte(uint32_t sum) {
  const int value = static_cast<int32_t>(sum) >> ResizeWeights::kFractionBits;
  return static_cast<uint8_t>(std::clamp(value, 0, 255));
}

}  // namespace

ResizeWeights::ResizeWeights(int64_t input, int64_t output, ResizeFilter filter)
    : taps(TapsOf(input, output, filter)),
      first(static_cast<size_t>(output)),
      count(static_cast<size_t>(output)),
      weights(static_cast<size_t>(output) * taps) {
  // The order of the operations is Pillow's: another order could round a weight the other way.
  const double scale = Scale(input, output);
  const double support = Support(input, output, filter);
  const double step = 1.0 / std::max(1.0, scale);
  weights.Fill(0);
  PoolArray<double> exact(taps);
  for (size_t o = 0; o < first.size(); ++o) {
    const double center = (static_cast<double>(o) + 0.5) * scale;
    const auto begin = std::max(int64_t{0}, static_cast<int64_t>(center - support + 0.5));
    const auto end = std::min(input, static_cast<int64_t>(center + support + 0.5));
    const auto n = static_cast<size_t>(end - begin);
    assert(n <= taps);
    double total = 0.0;
    for (size_t i = 0; i < n; ++i) {
      const double x = (static_cast<double>(begin + static_cast<int64_t>(i)) - center + 0.5) * step;
      exact[i] = filter == ResizeFilter::kLanczos ? Lanczos(x) : Triangle(x);
      total += exact[i];
    }
    for (size_t i = 0; i < n; ++i) {
      const double weight = (total != 0.0 ? exact[i] / total : exact[i]) * (1 << kFractionBits);
      weights[o * taps + i] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[o] = static_cast<int32_t>(begin);
    count[o] = static_cast<int32_t>(n);
  }
}

size_t ResizeWeights::PooledBytes(int64_t input, int64_t output, ResizeFilter filter) {
  const size_t taps = TapsOf(input, output, filter);
  return static_cast<size_t>(output) * (taps + 2) * sizeof(int32_t) + taps * sizeof(double);
}

AcrossPass::AcrossPass(int64_t input, int64_t output, int bands, ResizeFilter filter)
    : input_(static_cast<size_t>(input)), output_(static_cast<size_t>(output)), bands_(bands) {
  ResizeWeights whole(input, output, filter);
  padded_taps_ = RoundUp(whole.taps, kTapGroup);
  low_ = PoolArray<int16_t>(output_ * padded_taps_);
  high_ = PoolArray<int16_t>(output_ * padded_taps_);
  low_.Fill(0);
  high_.Fill(0);
  for (size_t o = 0; o < output_; ++o) {
    for (size_t i = 0; i < whole.taps; ++i) {
      const int32_t weight = whole.weights[o * whole.taps + i];
      low_[o * padded_taps_ + i] = static_cast<int16_t>(weight & ((1 << kLowWeightBits) - 1));
      high_[o * padded_taps_ + i] = static_cast<int16_t>(weight >> kLowWeightBits);
    }
  }
  first_ = std::move(whole.first);
  // Zero weights may reach beyond the row's end, so there must be something to read.
  plane_stride_ = input_ + padded_taps_;
  planes_ = PoolArray<int16_t>(plane_stride_ * static_cast<size_t>(bands));
  planes_.Fill(0);
}

size_t AcrossPass::PooledBytes(int64_t input, int64_t output, int bands, ResizeFilter filter) {
  const size_t padded = RoundUp(TapsOf(input, output, filter), kTapGroup);
  return ResizeWeights::PooledBytes(input, output, filter) +
         static_cast<size_t>(output) * padded * 2 * sizeof(int16_t) +
         (static_cast<size_t>(input) + padded) * static_cast<size_t>(bands) * sizeof(int16_t);
}

void AcrossPass::Apply(const uint8_t* row, uint8_t* resized) {
  const RowKernels& kernels = BestRowKernels();
  if (bands_ == 3) {
    kernels.split_rgb(row, input_, planes_.data(), plane_stride_);
  } else {
    std::copy_n(row, input_, planes_.data());
  }
  const auto bands = static_cast<size_t>(bands_);
  for (size_t o = 0; o < output_; ++o) {
    uint32_t sums[3];
    kernels.tap_sums(planes_.data() + first_[o], plane_stride_, bands_, low_.data() + o * padded_taps_,
                     high_.data() + o * padded_taps_, padded_taps_, sums);
    for (size_t b = 0; b < bands; ++b) resized[o * bands + b] = ToByte(sums[b] + kHalf);
  }
}

DownPass::DownPass(int64_t input, int64_t output, size_t length, ResizeFilter filter)
    : length_(length),
      weights_(input, output, filter),
      ring_(OpenOutputs(input, output, filter)),
      sums_(ring_ * length),
      complete_(length) {}

size_t DownPass::PooledBytes(int64_t input, int64_t output, size_t length, ResizeFilter filter) {
  return ResizeWeights::PooledBytes(input, output, filter) +
         OpenOutputs(input, output, filter) * length * sizeof(uint32_t) + length;
}

void DownPass::Add(const uint8_t* row, const std::function<void(const uint8_t*)>& sink) {
  const ResizeWeights& w = weights_;
  const int64_t y = next_row_++;
  for (; end_open_ < w.first.size() && w.first[end_open_] <= y; ++end_open_) {
    assert(end_open_ - first_open_ < ring_);
    std::fill_n(sums_.data() + end_open_ % ring_ * length_, length_, kHalf);
  }
  for (size_t o = first_open_; o < end_open_; ++o) {
    // Modulo 2^32: no partial sum of weights leaves 32 bits, but that is no reason to depend on it.
    const auto weight = static_cast<uint32_t>(w.weights[o * w.taps + static_cast<size_t>(y - w.first[o])]);
    uint32_t* sums = sums_.data() + o % ring_ * length_;
    for (size_t i = 0; i < length_; ++i) sums[i] += weight * row[i];
  }
  for (; first_open_ < end_open_ && y + 1 >= w.first[first_open_] + w.count[first_open_]; ++first_open_) {
    const uint32_t* sums = sums_.data() + first_open_ % ring_ * length_;
    std::transform(sums, sums + length_, complete_.begin(), ToByte);
    sink(complete_.data());
  }
}

}  // namespace imgmill
