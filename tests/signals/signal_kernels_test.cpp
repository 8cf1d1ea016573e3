// Every signal kernel of this machine against definitions in 64 bits, on random input of every length up to a
// run.
#include "signals/signal_kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "signals/luma.h"

namespace imgmill {
namespace {

std::vector<size_t> Lengths() {
  std::vector<size_t> lengths;
  for (size_t n = 0; n <= 140; ++n) lengths.push_back(n);
  for (const size_t n : {255, 256, 257, 511, 1000, 1023}) lengths.push_back(n);
  lengths.push_back(kKernelRun);
  return lengths;
}

/// Random bytes, or the extremes only, which give the largest sums.
std::vector<uint8_t> Bytes(size_t count, bool extremes, std::mt19937& random) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(extremes ? random() % 2 * 255 : random());
  return bytes;
}

TEST_CASE("signal kernels agree with their definitions") {
  std::mt19937 random(7);
  for (const SignalKernels& kernels : AvailableSignalKernels()) {
    CAPTURE(kernels.name);
    for (const size_t n : Lengths()) {
      CAPTURE(n);
      for (const bool extremes : {false, true}) {
        std::vector<int16_t> planes[3];
        for (auto& plane : planes) {
          const std::vector<uint8_t> bytes = Bytes(n, extremes, random);
          plane.assign(bytes.begin(), bytes.end());
        }
        std::vector<uint8_t> luma(n + 1, 77), expected_luma(n + 1, 77);
        int64_t rg = 0, rg_squares = 0, yb2 = 0, yb2_squares = 0, spread = 0;
        for (size_t i = 0; i < n; ++i) {
          const int r = planes[0][i], g = planes[1][i], b = planes[2][i];
          expected_luma[i] =
              Luma(static_cast<unsigned>(r), static_cast<unsigned>(g), static_cast<unsigned>(b));
          rg += r - g;
          rg_squares += (r - g) * (r - g);
          yb2 += r + g - 2 * b;
          yb2_squares += (r + g - 2 * b) * (r + g - 2 * b);
          spread = std::max<int64_t>(spread, std::max({r, g, b}) - std::min({r, g, b}));
        }
        kernels.luma(planes[0].data(), planes[1].data(), planes[2].data(), n, luma.data());
        CHECK(luma == expected_luma);
        const ColourSums colour = kernels.colour(planes[0].data(), planes[1].data(), planes[2].data(), n);
        CHECK(colour.rg == rg);
        CHECK(colour.rg_squares == rg_squares);
        CHECK(colour.yb2 == yb2);
        CHECK(colour.yb2_squares == yb2_squares);
        CHECK(colour.spread == spread);
        int64_t rg_bends = 0, yb2_bends = 0;
        for (size_t i = 0; i + 2 < n; ++i) {
          const auto rg_at = [&](size_t at) { return planes[0][at] - planes[1][at]; };
          const auto yb2_at = [&](size_t at) { return planes[0][at] + planes[1][at] - 2 * planes[2][at]; };
          rg_bends += std::lround(std::pow(rg_at(i) - 2 * rg_at(i + 1) + rg_at(i + 2), 2));
          yb2_bends += std::lround(std::pow(yb2_at(i) - 2 * yb2_at(i + 1) + yb2_at(i + 2), 2));
        }
        const ColourBends bends = kernels.bends(planes[0].data(), planes[1].data(), planes[2].data(), n);
        CHECK(bends.rg == rg_bends);
        CHECK(bends.yb2 == yb2_bends);
        std::vector<uint16_t> added(n + 1, 765), expected_added(n + 1, 765);
        for (size_t i = 0; i < n; ++i)
          expected_added[i] = static_cast<uint16_t>(expected_added[i] + planes[0][i]);
        kernels.add_plane(planes[0].data(), n, added.data());
        CHECK(added == expected_added);

        const std::vector<uint8_t> above = Bytes(n + 2, extremes, random);
        const std::vector<uint8_t> row = Bytes(n + 2, extremes, random);
        const std::vector<uint8_t> below = Bytes(n + 2, extremes, random);
        std::vector<uint16_t> columns(n + 1, 65000), expected_columns(n + 1, 65000);
        std::vector<uint16_t> mask(n + 1, 700), slope(n + 1, 9), expected_mask = mask, expected_slope = slope;
        std::vector<uint8_t> clipped(n + 1, 3), expected_clipped = clipped;
        int64_t row_steps = 0, sum = 0, squares = 0;
        for (size_t i = 0; i < n; ++i) {
          const int step = std::abs(row[i + 1] - row[i]);
          expected_columns[i] = static_cast<uint16_t>(expected_columns[i] + step);
          row_steps += std::abs(row[i] - above[i]);
          const int64_t laplacian = above[i + 1] + below[i + 1] + row[i] + row[i + 2] - 4 * row[i + 1];
          sum += laplacian;
          squares += laplacian * laplacian;
          const int rows[3] = {above[i] - 2 * above[i + 1] + above[i + 2],
                               row[i] - 2 * row[i + 1] + row[i + 2],
                               below[i] - 2 * below[i + 1] + below[i + 2]};
          expected_mask[i] = static_cast<uint16_t>(700 + std::abs(rows[0] - 2 * rows[1] + rows[2]));
          expected_slope[i] = static_cast<uint16_t>(9 + std::abs(row[i + 2] - row[i]));
          if (row[i + 1] <= 1 || row[i + 1] >= 254) expected_clipped[i] = 4;
        }
        kernels.column_steps(row.data(), n, columns.data());
        CHECK(columns == expected_columns);
        CHECK(kernels.row_steps(above.data(), row.data(), n) == row_steps);
        const LaplacianSums sums = kernels.laplacian(above.data(), row.data(), below.data(), n);
        CHECK(sums.sum == sum);
        CHECK(sums.squares == squares);
        kernels.noise(above.data(), row.data(), below.data(), n, mask.data(), slope.data(), clipped.data());
        CHECK(mask == expected_mask);
        CHECK(slope == expected_slope);
        CHECK(clipped == expected_clipped);
      }
    }
  }
}

TEST_CASE("the largest sums of a whole run fit") {
  // By hand: a board of 0 and 255 has a Laplacian of +-1020 and Immerkaer's mask of +-2040 at every pixel, of
  // which 16 rows add up; blue and yellow in turn have R + G - 2 B of -510 and 510, and bends of 2040.
  std::vector<uint8_t> even(kKernelRun + 2), odd(kKernelRun + 2);
  for (size_t i = 0; i < even.size(); ++i) {
    even[i] = i % 2 == 0 ? 0 : 255;
    odd[i] = i % 2 == 0 ? 255 : 0;
  }
  for (const SignalKernels& kernels : AvailableSignalKernels()) {
    CHECK(kernels.laplacian(even.data(), odd.data(), even.data(), kKernelRun).squares == 1024 * 1020 * 1020);
    std::vector<uint16_t> mask(kKernelRun, 0), slope(kKernelRun, 0);
    std::vector<uint8_t> clipped(kKernelRun, 0);
    for (int row = 0; row < 16; ++row)
      kernels.noise(even.data(), odd.data(), even.data(), kKernelRun, mask.data(), slope.data(),
                    clipped.data());
    CHECK(mask == std::vector<uint16_t>(kKernelRun, 16 * 2040));
    CHECK(slope == std::vector<uint16_t>(kKernelRun, 0));
    CHECK(clipped == std::vector<uint8_t>(kKernelRun, 16));
    std::vector<int16_t> yellow(even.begin(), even.end()), blue(odd.begin(), odd.end());
    CHECK(kernels.bends(yellow.data(), yellow.data(), blue.data(), kKernelRun).yb2 == 1022U * 2040 * 2040);
  }
}

}  // namespace
}  // namespace imgmill
