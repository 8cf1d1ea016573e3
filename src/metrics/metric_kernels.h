// The inner loops of the metrics, over rows of floats.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace imgmill {

/// The window of SSIM: 11x11, a Gaussian of sigma 1.5 (Wang et al. 2004).
inline constexpr size_t kSsimTaps = 11;
/// Floats that rows read by `down` and `score` must have beyond their end.
inline constexpr size_t kRowPadding = 24;

/// Half of the window, outermost first; the last one is the middle. Normalised to sum 1.
using SsimWeights = std::array<float, kSsimTaps / 2 + 1>;

/// What SSIM is made of, filtered: values of both images less `centre`, sum of their squares, product.
inline constexpr size_t kSsimMaps = 4;

struct SsimTerms {
  float centre = 0;  ///< subtracted from values, so that squares stay small
  float c1 = 0, c2 = 0;
};

/// Sums over pixels of a row.
struct SsimRow {
  double ssim = 0;
  double contrast = 0;  ///< of the second factor alone, which MS-SSIM multiplies
};
struct ErrorRow {
  double absolute = 0;
  double squares = 0;
  float largest = 0;
};

/// One implementation for one instruction set; all give the same bits.
struct MetricKernels {
  std::string_view name;
  /// The four maps of `n` pixels of a row.
  void (*maps)(const float* a, const float* b, size_t n, float centre, float* const* maps);
  /// Weighted sum of 11 rows.
  void (*down)(const float* const* rows, const SsimWeights& weights, size_t n, float* out);
  /// Filters across and sums the scores of `n` windows, each beginning at a pixel of maps filtered downwards.
  SsimRow (*score)(const float* const* maps, const SsimWeights& weights, size_t n, const SsimTerms& terms);
  ErrorRow (*errors)(const float* a, const float* b, size_t n);
  /// weights[0] * r + weights[1] * g + weights[2] * b + offset
  void (*luma)(const float* const* rgb, const float* weights, float offset, size_t n, float* out);
  /// Means of 2x2 pixels: `n` of them.
  void (*halve)(const float* above, const float* below, size_t n, float* out);
};

/// All that this machine can run, for tests: first plain C++, last the fastest.
const std::vector<MetricKernels>& AvailableMetricKernels();
inline const MetricKernels& BestMetricKernels() {
  return AvailableMetricKernels().back();
}

}  // namespace imgmill
