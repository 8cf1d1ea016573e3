// Each loop is written once, on vectors of 8 floats, and built for two instruction sets. This file is
// compiled without fused multiply-add: equal images must give exactly 1, on every machine.
#include "metrics/metric_kernels.h"

#include <algorithm>
#include <cmath>

#include "base/kernel_choice.h"

namespace imgmill {
namespace {

#define IMGMILL_INLINE __attribute__((always_inline)) inline

constexpr size_t kLanes = 8;
using Floats = float __attribute__((vector_size(4 * kLanes)));
using Doubles = double __attribute__((vector_size(8 * kLanes)));

IMGMILL_INLINE Floats Load(const float* from) {
  Floats values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}

IMGMILL_INLINE Floats All(float value) {
  return Floats{} + value;
}

IMGMILL_INLINE double Total(const Doubles& sums) {
  double total = 0;
  for (size_t i = 0; i < kLanes; ++i) total += sums[i];
  return total;
}

IMGMILL_INLINE void MapsLoop(const float* a, const float* b, size_t n, float centre, float* const* maps) {
  float* __restrict const one = maps[0];
  float* __restrict const other = maps[1];
  float* __restrict const squares = maps[2];
  float* __restrict const product = maps[3];
  for (size_t i = 0; i < n; ++i) {
    const float x = a[i] - centre;
    const float y = b[i] - centre;
    one[i] = x;
    other[i] = y;
    squares[i] = x * x + y * y;
    product[i] = x * y;
  }
}

IMGMILL_INLINE void DownLoop(const float* const* rows, const SsimWeights& weights, size_t n, float* out) {
  constexpr size_t kMiddle = kSsimTaps / 2;
  for (size_t i = 0; i < n; i += kLanes) {
    Floats sum = Load(rows[kMiddle] + i) * All(weights[kMiddle]);
    for (size_t t = 0; t < kMiddle; ++t)
      sum += (Load(rows[t] + i) + Load(rows[kSsimTaps - 1 - t] + i)) * All(weights[t]);
    __builtin_memcpy(out + i, &sum, sizeof sum);
  }
}

IMGMILL_INLINE Floats Across(const float* from, const SsimWeights& weights) {
  constexpr size_t kMiddle = kSsimTaps / 2;
  Floats sum = Load(from + kMiddle) * All(weights[kMiddle]);
  for (size_t t = 0; t < kMiddle; ++t)
    sum += (Load(from + t) + Load(from + kSsimTaps - 1 - t)) * All(weights[t]);
  return sum;
}

// With equal images, `squares` is exactly twice `product`, so that both factors are exactly 1: the order of
// the operations below keeps that.
IMGMILL_INLINE SsimRow ScoreLoop(const float* const* maps, const SsimWeights& weights, size_t n,
                                 const SsimTerms& terms) {
  Doubles ssim_sums{}, contrast_sums{};
  SsimRow rest;
  for (size_t i = 0; i < n; i += kLanes) {
    const Floats x = Across(maps[0] + i, weights);
    const Floats y = Across(maps[1] + i, weights);
    const Floats squares = Across(maps[2] + i, weights);
    const Floats product = Across(maps[3] + i, weights);
    const Floats covariance = product - x * y;
    const Floats variances = squares - (x * x + y * y);
    const Floats contrast = (covariance + covariance + All(terms.c2)) / (variances + All(terms.c2));
    const Floats mean_x = x + All(terms.centre);
    const Floats mean_y = y + All(terms.centre);
    const Floats means = mean_x * mean_y;
    const Floats ssim =
        contrast * ((means + means + All(terms.c1)) / (mean_x * mean_x + mean_y * mean_y + All(terms.c1)));
    if (i + kLanes <= n) {
      ssim_sums += __builtin_convertvector(ssim, Doubles);
      contrast_sums += __builtin_convertvector(contrast, Doubles);
      continue;
    }
    for (size_t lane = 0; i + lane < n; ++lane) {
      rest.ssim += static_cast<double>(ssim[lane]);
      rest.contrast += static_cast<double>(contrast[lane]);
    }
  }
  return {Total(ssim_sums) + rest.ssim, Total(contrast_sums) + rest.contrast};
}

IMGMILL_INLINE ErrorRow ErrorsLoop(const float* a, const float* b, size_t n) {
  Doubles absolute{}, squares{};
  Floats largest{};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats step = Load(a + i) - Load(b + i);
    const Floats size = step < All(0.0F) ? -step : step;
    largest = size > largest ? size : largest;
    const Doubles wide = __builtin_convertvector(size, Doubles);
    absolute += wide;
    squares += wide * wide;
  }
  ErrorRow row{Total(absolute), Total(squares), 0};
  for (size_t lane = 0; lane < kLanes; ++lane) row.largest = std::max(row.largest, largest[lane]);
  for (; i < n; ++i) {
    const float size = std::fabs(a[i] - b[i]);
    row.absolute += static_cast<double>(size);
    row.squares += static_cast<double>(size) * static_cast<double>(size);
    row.largest = std::max(row.largest, size);
  }
  return row;
}

IMGMILL_INLINE void LumaLoop(const float* const* rgb, const float* weights, float offset, size_t n,
                             float* __restrict out) {
  const float* const red = rgb[0];
  const float* const green = rgb[1];
  const float* const blue = rgb[2];
  const float by_red = weights[0], by_green = weights[1], by_blue = weights[2];
  for (size_t i = 0; i < n; ++i) out[i] = by_red * red[i] + by_green * green[i] + by_blue * blue[i] + offset;
}

IMGMILL_INLINE void HalveLoop(const float* above, const float* below, size_t n, float* __restrict out) {
  for (size_t i = 0; i < n; ++i)
    out[i] = 0.25F * ((above[2 * i] + above[2 * i + 1]) + (below[2 * i] + below[2 * i + 1]));
}

// The loops with the attributes given, as a struct of plain functions.
#define IMGMILL_KERNELS(NAME, ATTRIBUTES)                                                                  \
  struct NAME {                                                                                            \
    ATTRIBUTES static void Maps(const float* a, const float* b, size_t n, float centre, float* const* m) { \
      MapsLoop(a, b, n, centre, m);                                                                        \
    }                                                                                                      \
    ATTRIBUTES static void Down(const float* const* rows, const SsimWeights& w, size_t n, float* out) {    \
      DownLoop(rows, w, n, out);                                                                           \
    }                                                                                                      \
    ATTRIBUTES static SsimRow Score(const float* const* maps, const SsimWeights& w, size_t n,              \
                                    const SsimTerms& terms) {                                              \
      return ScoreLoop(maps, w, n, terms);                                                                 \
    }                                                                                                      \
    ATTRIBUTES static ErrorRow Errors(const float* a, const float* b, size_t n) {                          \
      return ErrorsLoop(a, b, n);                                                                          \
    }                                                                                                      \
    ATTRIBUTES static void Luma(const float* const* rgb, const float* w, float offset, size_t n,           \
                                float* out) {                                                              \
      LumaLoop(rgb, w, offset, n, out);                                                                    \
    }                                                                                                      \
    ATTRIBUTES static void Halve(const float* above, const float* below, size_t n, float* out) {           \
      HalveLoop(above, below, n, out);                                                                     \
    }                                                                                                      \
  }

IMGMILL_KERNELS(Plain, );
#if defined(__x86_64__)
IMGMILL_KERNELS(Avx2, __attribute__((target("avx2"))));
#else
using Avx2 = Plain;  // never chosen
#endif

template <typename K>
MetricKernels Table(std::string_view name) {
  return {name, &K::Maps, &K::Down, &K::Score, &K::Errors, &K::Luma, &K::Halve};
}

}  // namespace

const std::vector<MetricKernels>& AvailableMetricKernels() {
  static const std::vector<MetricKernels> kernels = PlainAndAvx2(&Table<Plain>, &Table<Avx2>);
  return kernels;
}

}  // namespace imgmill
