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

/// Of Keys, with a = -1/2; the order of the operations is Pillow's.
double Cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double Reach(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kLanczos:
      return kLobes;
    case ResizeFilter::kCubic:
      return 2.0;
    case ResizeFilter::kTriangle:
      break;
  }
  return 1.0;
}

double Weight(ResizeFilter filter, double x) {
  switch (filter) {
    case ResizeFilter::kLanczos:
      return Lanczos(x);
    case ResizeFilter::kCubic:
      return Cubic(x);
    case ResizeFilter::kTriangle:
      break;
  }
  return Triangle(x);
}

double Scale(const ResizeAxis& axis) {
  return static_cast<double>(axis.input) / static_cast<double>(axis.output);
}

double Support(const ResizeAxis& axis, ResizeFilter filter) {
  return Reach(filter) * std::max(1.0, Scale(axis));
}

size_t TapsOf(const ResizeAxis& axis, ResizeFilter filter) {
  const auto widest = static_cast<size_t>(std::ceil(Support(axis, filter))) * 2 + 1;
  return std::min(widest, static_cast<size_t>(axis.input));
}

// How many outputs can reach one input pixel: their centres lie within the support (and half a pixel of
// rounding) on either side of it.
size_t OpenOutputs(const ResizeAxis& axis, ResizeFilter filter) {
  const double reach = 2 * Support(axis, filter) + 1;
  return std::min(static_cast<size_t>(std::ceil(reach / Scale(axis))) + 1, static_cast<size_t>(axis.kept()));
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

ResizeWeights::ResizeWeights(const ResizeAxis& axis, ResizeFilter filter)
    : taps(TapsOf(axis, filter)),
      first(static_cast<size_t>(axis.kept())),
      count(static_cast<size_t>(axis.kept())),
      weights(static_cast<size_t>(axis.kept()) * taps) {
  // The order of the operations is Pillow's: another order could round a weight the other way.
  const double scale = Scale(axis);
  const double support = Support(axis, filter);
  const double step = 1.0 / std::max(1.0, scale);
  weights.Fill(0);
  PoolArray<double> exact(taps);
  for (size_t o = 0; o < first.size(); ++o) {
    const double center = (static_cast<double>(axis.skip + static_cast<int64_t>(o)) + 0.5) * scale;
    const auto begin = std::max(int64_t{0}, static_cast<int64_t>(center - support + 0.5));
    const auto end = std::min(axis.input, static_cast<int64_t>(center + support + 0.5));
    const auto n = static_cast<size_t>(end - begin);
    assert(n <= taps);
    double total = 0.0;
    for (size_t i = 0; i < n; ++i) {
      const double x = (static_cast<double>(begin + static_cast<int64_t>(i)) - center + 0.5) * step;
      exact[i] = Weight(filter, x);
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

size_t ResizeWeights::PooledBytes(const ResizeAxis& axis, ResizeFilter filter) {
  const size_t taps = TapsOf(axis, filter);
  return static_cast<size_t>(axis.kept()) * (taps + 2) * sizeof(int32_t) + taps * sizeof(double);
}

AcrossPass::AcrossPass(const ResizeAxis& axis, int bands, ResizeFilter filter)
    : input_(static_cast<size_t>(axis.input)), output_(static_cast<size_t>(axis.kept())), bands_(bands) {
  ResizeWeights whole(axis, filter);
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

size_t AcrossPass::PooledBytes(const ResizeAxis& axis, int bands, ResizeFilter filter) {
  const size_t padded = RoundUp(TapsOf(axis, filter), kTapGroup);
  return ResizeWeights::PooledBytes(axis, filter) +
         static_cast<size_t>(axis.kept()) * padded * 2 * sizeof(int16_t) +
         (static_cast<size_t>(axis.input) + padded) * static_cast<size_t>(bands) * sizeof(int16_t);
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

DownPass::DownPass(const ResizeAxis& axis, size_t length, ResizeFilter filter)
    : length_(length),
      weights_(axis, filter),
      ring_(OpenOutputs(axis, filter)),
      sums_(ring_ * length),
      complete_(length) {}

size_t DownPass::PooledBytes(const ResizeAxis& axis, size_t length, ResizeFilter filter) {
  return ResizeWeights::PooledBytes(axis, filter) + OpenOutputs(axis, filter) * length * sizeof(uint32_t) +
         length;
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
