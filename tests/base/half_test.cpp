// Half precision against values worked out by hand, and against itself for all of them.
#include "imgmill/base/half.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace imgmill;

TEST_CASE("floats become the nearest half, ties to even") {
  // From the definition of binary16: 11 bits of mantissa, exponents -14 to 15, steps of 2^-24 below 2^-14.
  CHECK(HalfFromFloat(0.0F) == 0x0000);
  CHECK(HalfFromFloat(-0.0F) == 0x8000);
  CHECK(HalfFromFloat(1.0F) == 0x3C00);
  CHECK(HalfFromFloat(-2.0F) == 0xC000);
  CHECK(HalfFromFloat(65504.0F) == 0x7BFF);  // the largest
  CHECK(HalfFromFloat(65519.0F) == 0x7BFF);
  CHECK(HalfFromFloat(65520.0F) == 0x7C00);  // half way to 65536: even is above
  CHECK(HalfFromFloat(1e6F) == 0x7C00);
  CHECK(HalfFromFloat(0x1p-14F) == 0x0400);
  CHECK(HalfFromFloat(0x1p-24F) == 0x0001);
  CHECK(HalfFromFloat(0x1p-25F) == 0x0000);  // a tie, and 0 is even
  CHECK(HalfFromFloat(0x1.000002p-25F) == 0x0001);
  CHECK(HalfFromFloat(0x1p-26F) == 0x0000);
  CHECK(HalfFromFloat(0x1.8p-24F) == 0x0002);    // a tie of 1 and 2
  CHECK(HalfFromFloat(0x1.ffep-15F) == 0x0400);  // a carry from the last step below 2^-14: a tie, to even
  CHECK(HalfFromFloat(1.0F + 0x1p-11F) == 0x3C00);
  CHECK(HalfFromFloat(1.0F + 3 * 0x1p-11F) == 0x3C02);
  CHECK(HalfFromFloat(2.0F - 0x1p-12F) == 0x4000);  // a carry into the exponent
  CHECK(HalfFromFloat(INFINITY) == 0x7C00);
  CHECK(std::isnan(FloatFromHalf(HalfFromFloat(NAN))));
}

TEST_CASE("each half is itself again") {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const float value = FloatFromHalf(static_cast<uint16_t>(half));
    if (std::isnan(value)) continue;
    CHECK(HalfFromFloat(value) == half);
    // By the definition: mantissa times two to the exponent.
    const int exponent = static_cast<int>((half >> 10) & 0x1F), mantissa = static_cast<int>(half & 0x3FF);
    if (exponent == 0x1F) continue;
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    CHECK(std::fabs(static_cast<double>(value)) == magnitude);
  }
}
