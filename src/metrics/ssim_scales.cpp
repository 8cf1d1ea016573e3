// Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
// similarity", IEEE TIP 2004, eq. 13; over several scales Wang, Simoncelli and Bovik, "Multiscale structural
// similarity for image quality assessment", Asilomar 2003, eq. 7.
#include "metrics/ssim_scales.h"

#include <algorithm>
#include <cmath>

namespace imgmill {
namespace {

constexpr double kSigma = 1.5;
/// Of the 2003 paper, from the full size to the smallest.
constexpr double kScaleWeights[kMsSsimScales] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

SsimWeights GaussianWeights() {
  constexpr int kMiddle = kSsimTaps / 2;
  double half[kMiddle + 1];
  double sum = 0;
  for (int t = 0; t <= kMiddle; ++t) {
    const double distance = kMiddle - t;
    half[t] = std::exp(-distance * distance / (2 * kSigma * kSigma));
    sum += t < kMiddle ? 2 * half[t] : half[t];
  }
  SsimWeights weights;
  for (size_t t = 0; t <= kMiddle; ++t) weights[t] = static_cast<float>(half[t] / sum);
  return weights;
}

size_t StrideOf(int64_t width) {
  return static_cast<size_t>(width) + kRowPadding;
}

int64_t Halved(int64_t side) {
  return (side + 1) / 2;
}

}  // namespace

SsimRows::SsimRows(int64_t width, float peak)
    : width_(width),
      stride_(StrideOf(width)),
      terms_{peak / 2, 0.01F * peak * 0.01F * peak, 0.03F * peak * 0.03F * peak},
      weights_(GaussianWeights()),
      ring_(kSsimTaps * kSsimMaps * stride_),
      down_(kSsimMaps * stride_) {
  ring_.Fill(0);  // what lies beyond the width is read, though not counted
  down_.Fill(0);
}

void SsimRows::Add(const float* a, const float* b) {
  constexpr auto kTaps = static_cast<int64_t>(kSsimTaps);
  const MetricKernels& kernels = BestMetricKernels();
  float* maps[kSsimMaps];
  for (size_t map = 0; map < kSsimMaps; ++map) maps[map] = RingRow(static_cast<size_t>(seen_ % kTaps), map);
  kernels.maps(a, b, static_cast<size_t>(width_), terms_.centre, maps);
  ++seen_;
  if (seen_ < kTaps || width_ < kTaps) return;
  const float* filtered[kSsimMaps];
  for (size_t map = 0; map < kSsimMaps; ++map) {
    const float* rows[kSsimTaps];
    for (int64_t t = 0; t < kTaps; ++t) rows[t] = RingRow(static_cast<size_t>((seen_ + t) % kTaps), map);
    kernels.down(rows, weights_, static_cast<size_t>(width_), down_.data() + map * stride_);
    filtered[map] = down_.data() + map * stride_;
  }
  const int64_t windows = width_ - kTaps + 1;
  const SsimRow row = kernels.score(filtered, weights_, static_cast<size_t>(windows), terms_);
  sums_.ssim += row.ssim;
  sums_.contrast += row.contrast;
  windows_ += windows;
}

size_t SsimRows::PooledBytes(int64_t width) {
  return (kSsimTaps + 1) * kSsimMaps * StrideOf(width) * sizeof(float);
}

SsimScales::Scale::Scale(int64_t its_width, int64_t its_height, float peak, bool halved)
    : width(its_width),
      rows(its_width, peak),
      holds_row(its_height % 2 == 1),
      held(halved ? static_cast<size_t>(2 * its_width) : 0),
      smaller(halved ? static_cast<size_t>(2 * Halved(its_width)) : 0) {
  held.Fill(0);
}

SsimScales::SsimScales(int64_t width, int64_t height, float peak, int scales) {
  scales_.reserve(static_cast<size_t>(scales));
  for (int s = 0; s < scales; ++s) {
    scales_.emplace_back(width, height, peak, s + 1 < scales);
    width = Halved(width);
    height = Halved(height);
  }
}

void SsimScales::Add(size_t scale, const float* a, const float* b) {
  Scale& here = scales_[scale];
  here.rows.Add(a, b);
  if (scale + 1 == scales_.size()) return;
  const auto width = static_cast<size_t>(here.width);
  if (!here.holds_row) {
    std::copy_n(a, width, here.held.data());
    std::copy_n(b, width, here.held.data() + width);
    here.holds_row = true;
    return;
  }
  here.holds_row = false;
  const size_t odd = width % 2;
  const size_t half = (width + odd) / 2;
  for (size_t image = 0; image < 2; ++image) {
    const float* above = here.held.data() + image * width;
    const float* below = image == 0 ? a : b;
    float* out = here.smaller.data() + image * half;
    if (odd != 0) *out = 0.25F * (*above + *below);
    BestMetricKernels().halve(above + odd, below + odd, half - odd, out + odd);
  }
  Add(scale + 1, here.smaller.data(), here.smaller.data() + half);
}

std::optional<double> SsimScales::MsSsim() const {
  if (scales_.size() != kMsSsimScales) return std::nullopt;
  double product = 1;
  for (size_t s = 0; s < scales_.size(); ++s) {
    const SsimRows& rows = scales_[s].rows;
    const std::optional<double> factor = s + 1 < scales_.size() ? rows.Contrast() : rows.Ssim();
    if (!factor) return std::nullopt;
    product *= std::pow(std::max(0.0, *factor), kScaleWeights[s]);
  }
  return product;
}

size_t SsimScales::PooledBytes(int64_t width, int scales) {
  size_t bytes = 0;
  for (int s = 0; s < scales; ++s) {
    bytes += SsimRows::PooledBytes(width);
    if (s + 1 < scales) bytes += static_cast<size_t>(2 * width + 2 * Halved(width)) * sizeof(float);
    width = Halved(width);
  }
  return bytes;
}

}  // namespace imgmill
