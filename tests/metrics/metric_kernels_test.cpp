// Vector kernels against the plain ones, and these against sums that are written out.
#include "metrics/metric_kernels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace imgmill {
namespace {

std::vector<float> Random(size_t n, std::mt19937& random) {
  std::uniform_real_distribution<float> values(0, 255);
  std::vector<float> row(n + kRowPadding);
  for (float& value : row) value = values(random);
  return row;
}

/// Every output of every kernel for rows of `n` pixels.
std::vector<double> Outputs(const MetricKernels& kernels, size_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  const std::vector<float> a = Random(2 * n, random), b = Random(2 * n, random), c = Random(2 * n, random);
  const SsimWeights weights = {0.001F, 0.0076F, 0.036F, 0.1094F, 0.213F, 0.266F};
  std::vector<std::vector<float>> maps(kSsimMaps, std::vector<float>(n + kRowPadding));
  float* to[kSsimMaps];
  for (size_t m = 0; m < kSsimMaps; ++m) to[m] = maps[m].data();
  kernels.maps(a.data(), b.data(), n, 127.5F, to);
  const float* rows[kSsimTaps];
  for (size_t t = 0; t < kSsimTaps; ++t) rows[t] = maps[t % kSsimMaps].data();
  std::vector<float> down(n + kRowPadding), luma(n), half(n);
  kernels.down(rows, weights, n, down.data());
  const float* filtered[kSsimMaps] = {a.data(), b.data(), c.data(), down.data()};
  const SsimRow row = kernels.score(filtered, weights, n, {127.5F, 6.5F, 58.5F});
  const ErrorRow errors = kernels.errors(a.data(), b.data(), n);
  const float* rgb[3] = {a.data(), b.data(), c.data()};
  const float by[3] = {0.25F, 0.5F, 0.1F};
  kernels.luma(rgb, by, 16, n, luma.data());
  kernels.halve(a.data(), b.data(), n, half.data());
  std::vector<double> all = {row.ssim, row.contrast, errors.absolute, errors.squares,
                             static_cast<double>(errors.largest)};
  for (const auto& map : maps) all.insert(all.end(), map.begin(), map.begin() + static_cast<ptrdiff_t>(n));
  all.insert(all.end(), down.begin(), down.begin() + static_cast<ptrdiff_t>(n));
  all.insert(all.end(), luma.begin(), luma.end());
  all.insert(all.end(), half.begin(), half.end());
  return all;
}

}  // namespace

TEST_CASE("every instruction set gives the bits of the plain loops, whatever the width") {
  for (const MetricKernels& kernels : AvailableMetricKernels()) {
    CAPTURE(kernels.name);
    for (size_t n = 1; n < 70; ++n) {
      CAPTURE(n);
      const std::vector<double> expected = Outputs(AvailableMetricKernels().front(), n);
      const std::vector<double> found = Outputs(kernels, n);
      REQUIRE(found.size() == expected.size());
      CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(double)) == 0);
    }
  }
}

TEST_CASE("errors are what a sum in double precision gives") {
  std::mt19937 random(3);
  const size_t n = 1003;
  const std::vector<float> a = Random(n, random), b = Random(n, random);
  double absolute = 0, squares = 0, largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const double step = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    absolute += step;
    squares += step * step;
    largest = std::max(largest, step);
  }
  const ErrorRow row = BestMetricKernels().errors(a.data(), b.data(), n);
  CHECK(row.absolute == doctest::Approx(absolute).epsilon(1e-7));
  CHECK(row.squares == doctest::Approx(squares).epsilon(1e-7));
  CHECK(static_cast<double>(row.largest) == doctest::Approx(largest).epsilon(1e-7));
}

}  // namespace imgmill
