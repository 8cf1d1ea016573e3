// What counts as noise, of luma and of colours, and what does not.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "imgmill/signals/signal_set.h"
#include "signals/formula_picture.h"

namespace imgmill {
namespace {

constexpr int64_t kWidth = 480, kHeight = 320;

/// Normal with mean 0 and deviation 1: a sum of 12 uniform numbers.
double Normal(uint64_t& seed) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += (Mix(++seed * 31) + 0.5) / 256;
  return sum;
}

/// Grey of `level` with noise of deviation `sigma` in each band by itself.
Image NoisyGrey(double level, double sigma, int bands) {
  Image picture(Layout{kWidth, kHeight, bands, Sample::kU8});
  uint64_t seed = 0;
  for (int64_t y = 0; y < kHeight; ++y) {
    for (int64_t i = 0; i < kWidth * bands; ++i)
      picture.row(y)[i] =
          static_cast<uint8_t>(std::clamp(std::lround(level + sigma * Normal(seed)), 0L, 255L));
  }
  return picture;
}

double ValueOf(const Image& picture, Signal signal) {
  return MeasureSignals(picture.view(), {signal})[signal].value_or(-1);
}

}  // namespace

TEST_CASE("noise is found beside texture, black and white, and texture beside flat parts is no noise") {
  for (const double sigma : {2.0, 6.0, 25.0}) {
    Image picture = NoisyGrey(120, sigma, 1);
    CHECK(ValueOf(picture, Signal::kNoise) == doctest::Approx(sigma).epsilon(0.08));
    // Half of it texture, a tenth burnt out.
    for (int64_t y = 0; y < kHeight; ++y) {
      for (int64_t x = kWidth / 2; x < kWidth; ++x) {
        const int texture = (Mix(static_cast<uint64_t>(y / 2 * 1000 + x / 2)) - 128) / 2;
        uint8_t& pixel = picture.row(y)[x];
        pixel =
            x >= 9 * kWidth / 10 ? uint8_t{255} : static_cast<uint8_t>(std::clamp(pixel + texture, 0, 255));
      }
    }
    CHECK(ValueOf(picture, Signal::kNoise) == doctest::Approx(sigma).epsilon(0.15));
  }
  Image texture = FormulaPicture(kWidth, kHeight, 1, "noise", 3);
  for (int64_t y = 0; y < kHeight; ++y) std::fill_n(texture.row(y), kWidth / 3, uint8_t{90});
  CHECK(ValueOf(texture, Signal::kNoise) == 0);
  CHECK(ValueOf(NoisyGrey(120, 0.5, 1), Signal::kNoise) == 0);  // under 1 level
}

TEST_CASE("noise on grey is no colour") {
  // Single pixels differ by 1.7 deviations between their bands, on a level of 120: a saturation of 20 percent
  // and more, and opponent colours with deviations of 1.4 and 1.2 times 20.
  const Image noisy = NoisyGrey(120, 20, 3);
  CHECK(ValueOf(noisy, Signal::kColorfulness) < 5);
  CHECK(ValueOf(noisy, Signal::kSaturation) < 8);
  // In the dark, rounding is what bands differ by.
  CHECK(ValueOf(NoisyGrey(2.5, 0.4, 3), Signal::kSaturation) < 12);
}

TEST_CASE("colours that fill squares of four pixels have HSV's saturation, by hand") {
  Image picture(Layout{30, 18, 3, Sample::kU8});
  for (int64_t y = 0; y < 18; ++y) {
    for (int64_t x = 0; x < 30; ++x) {
      const bool red = x / 4 % 2 == 0;
      uint8_t* pixel = picture.row(y) + 3 * x;
      pixel[0] = 200;
      pixel[1] = red ? uint8_t{0} : uint8_t{100};
      pixel[2] = red ? uint8_t{50} : uint8_t{200};
    }
  }
  // 16 columns of 255 and 14 of 127.5, which rounds up; those of the last two columns count half.
  CHECK(ValueOf(picture, Signal::kSaturation) == doctest::Approx(100 * (16 * 255 + 14 * 128) / 30.0 / 255));
}

}  // namespace imgmill
