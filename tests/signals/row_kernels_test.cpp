// Every row kernel of this machine against the plain one, on random input of every length up to 300.
#include "signals/row_kernels.h"

#include <doctest/doctest.h>

#include <random>

namespace imgmill {
namespace {

TEST_CASE("row kernels agree with the scalar oracle") {
  std::mt19937 random(1);
  const RowKernels& oracle = AvailableRowKernels().front();
  REQUIRE(oracle.name == "scalar");
  for (const RowKernels& kernels : AvailableRowKernels()) {
    CAPTURE(kernels.name);
    for (size_t width = 0; width <= 300; ++width) {
      const size_t stride = width + 5;
      std::vector<uint8_t> row(3 * width);
      for (uint8_t& value : row) value = static_cast<uint8_t>(random());
      std::vector<int16_t> expected(3 * stride, 77), found(3 * stride, 77);
      oracle.split_rgb(row.data(), width, expected.data(), stride);
      kernels.split_rgb(row.data(), width, found.data(), stride);
      CHECK(found == expected);
    }
    // Up to sums that leave 32 bits: both wrap alike.
    for (size_t taps = 0; taps <= 6400; taps += taps < 320 ? kTapGroup : 1520) {
      const size_t stride = taps + 3;
      std::vector<int16_t> planes(3 * stride), low(taps), high(taps);
      for (int16_t& value : planes) value = static_cast<int16_t>(random() % 256);
      for (int16_t& value : low) value = static_cast<int16_t>(random() % (1 << kLowWeightBits));
      for (int16_t& value : high) value = static_cast<int16_t>(static_cast<int>(random() % 2400) - 1200);
      for (const int bands : {1, 3}) {
        std::vector<uint32_t> expected(3), found(3);
        oracle.tap_sums(planes.data(), stride, bands, low.data(), high.data(), taps, expected.data());
        kernels.tap_sums(planes.data(), stride, bands, low.data(), high.data(), taps, found.data());
        CHECK(found == expected);
      }
    }
  }
}

}  // namespace
}  // namespace imgmill
