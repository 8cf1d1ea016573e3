// Fast Fourier transforms of stretches of rows, and a straight line through the low end of their mean
// spectrum.
#include "signals/spectral_cutoff.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signals/detail_kernels.h"

namespace imgmill {
namespace {

constexpr size_t kSize = kTransformSize;
static_assert(kSize == SpectralCutoff::kStretch);

struct Tables {
  std::array<double, kSize> window;     // Hann's
  std::array<uint8_t, kSize> reversed;  // bits of the index
  TransformTurns turns;
  double energy = 0;
};

const Tables& TheTables() {
  static const Tables tables = [] {
    Tables made;
    for (size_t i = 0; i < kSize; ++i) {
      made.window[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / kSize);
      made.energy += made.window[i] * made.window[i];
      size_t bits = 0;
      for (size_t b = 0; b < 8; ++b) bits |= (i >> b & 1) << (7 - b);
      made.reversed[i] = static_cast<uint8_t>(bits);
    }
    made.turns.re[0] = made.turns.im[0] = 0;  // unused
    for (size_t half = 1; half < kSize; half *= 2) {
      for (size_t k = 0; k < half; ++k) {
        const double angle = std::numbers::pi * static_cast<double>(k) / static_cast<double>(half);
        made.turns.re[half + k] = std::cos(angle);
        made.turns.im[half + k] = -std::sin(angle);
      }
    }
    return made;
  }();
  return tables;
}

double Mean(const uint8_t* pixels) {
  int sum = 0;
  for (size_t i = 0; i < kSize; ++i) sum += pixels[i];
  return static_cast<double>(sum) / static_cast<double>(kSize);
}

// Frequencies in multiples of 1 / kSize cycles a pixel.
constexpr size_t kFitFrom = 3, kFitTo = 18;
// Decibels below the line at which there is nothing of the image any more; and above what rounding to whole
// levels leaves (with as much again for that of the original).
constexpr double kDrop = 8, kAboveRounding = 4;
constexpr double kRounding = 1.0 / 12;
// Decibels a decade: photos fall by 20.
constexpr double kSteepest = -30, kFlattest = -10;

}  // namespace

SpectralCutoff::SpectralCutoff(const Layout& layout) : height_(layout.height) {
  if (layout.width < kStretch || layout.height < 1) return;
  const int64_t stretches = std::clamp<int64_t>(layout.width / kStretch, 1, kMostStretches);
  for (int64_t i = 0; i < stretches; ++i)
    starts_.push_back(stretches == 1 ? 0 : i * (layout.width - kStretch) / (stretches - 1));
  rows_ = std::min({kMostRows, kMostInAll / stretches, layout.height});
}

void SpectralCutoff::Add(const uint8_t* luma, int64_t y) {
  if (next_ >= rows_ || y != (rows_ == 1 ? 0 : next_ * (height_ - 1) / (rows_ - 1))) return;
  ++next_;
  for (size_t i = 0; i < starts_.size(); i += 2) {
    AddStretches(luma + starts_[i], i + 1 < starts_.size() ? luma + starts_[i + 1] : nullptr);
  }
}

// Two real stretches as one complex: the sum of their powers is that of each frequency and its mirror.
void SpectralCutoff::AddStretches(const uint8_t* one, const uint8_t* other) {
  const Tables& tables = TheTables();
  const double one_mean = Mean(one);
  const double other_mean = other != nullptr ? Mean(other) : 0;
  std::array<double, kSize> re, im;
  for (size_t i = 0; i < kSize; ++i) {
    const size_t at = tables.reversed[i];
    re[at] = (one[i] - one_mean) * tables.window[i];
    im[at] = other != nullptr ? (other[i] - other_mean) * tables.window[i] : 0;
  }
  BestDetailKernels().transform(tables.turns, re.data(), im.data());
  for (size_t k = 0; k < power_.size(); ++k) {
    const size_t mirror = (kSize - k) % kSize;
    power_[k] += (re[k] * re[k] + im[k] * im[k] + re[mirror] * re[mirror] + im[mirror] * im[mirror]) / 2;
  }
}

std::optional<double> SpectralCutoff::Excess() const {
  if (next_ == 0) return std::nullopt;
  const double count = static_cast<double>(next_) * static_cast<double>(starts_.size());
  std::array<double, kSize / 2 + 1> level;  // decibels
  for (size_t k = 0; k < level.size(); ++k)
    level[k] = 10 * std::log10(power_[k] / count / TheTables().energy + kRounding);

  // Least squares of the level by the logarithm of the frequency; where the slope is not that of a picture, a
  // line of the nearest slope that is.
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (size_t k = kFitFrom; k < kFitTo; ++k) {
    const double x = std::log10(static_cast<double>(k) / static_cast<double>(kSize));
    n += 1, sx += x, sy += level[k], sxx += x * x, sxy += x * level[k];
  }
  const double slope = std::clamp((n * sxy - sx * sy) / (n * sxx - sx * sx), kSteepest, kFlattest);
  const double at_one = (sy - slope * sx) / n;

  constexpr size_t kLowest = 8, kHalfMean = 2;
  const double floor = 10 * std::log10(2 * kRounding) + kAboveRounding;
  size_t cut = kSize / 2;
  for (; cut > kLowest; --cut) {
    const size_t at = std::min(cut, kSize / 2 - 1 - kHalfMean);
    double mean = 0;
    for (size_t k = at - kHalfMean; k <= at + kHalfMean; ++k) mean += level[k] / (2 * kHalfMean + 1);
    const double line = at_one + slope * std::log10(static_cast<double>(at) / static_cast<double>(kSize));
    if (line - mean <= kDrop && mean >= floor) break;
  }
  return static_cast<double>(kSize) / 2 / static_cast<double>(cut);
}

}  // namespace imgmill
