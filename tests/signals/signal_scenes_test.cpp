// The signals of borders, combs, depth, colours and blur on pictures whose values can be told by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "imgmill/signals/signal_set.h"
#include "signals/formula_picture.h"

namespace imgmill {
namespace {

double ValueOf(const Image& picture, Signal signal) {
  const std::optional<double> value = MeasureSignals(picture.view(), {signal})[signal];
  REQUIRE(value.has_value());
  return *value;
}

/// Noise inside of bars of level 20.
Image Framed(int64_t width, int64_t height, int64_t left, int64_t top, int64_t right, int64_t bottom) {
  Image picture = FormulaPicture(width, height, 1, "noise", 3);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const bool inside = x >= left && x < width - right && y >= top && y < height - bottom;
      if (!inside) picture.row(y)[x] = static_cast<uint8_t>(20 + (x + y) % 3);  // JPEG leaves that much
    }
  }
  return picture;
}

}  // namespace

TEST_CASE("bars at the edges are found, and only there") {
  CHECK(ValueOf(Framed(100, 80, 0, 0, 0, 0), Signal::kLetterbox) == 0);
  const Image wide = Framed(100, 80, 0, 10, 0, 14);
  CHECK(ValueOf(wide, Signal::kLetterbox) == doctest::Approx(100 * 24.0 / 80));
  CHECK(ValueOf(wide, Signal::kBorder) == 0);  // not all around
  const Image pillars = Framed(100, 80, 7, 0, 13, 0);
  CHECK(ValueOf(pillars, Signal::kLetterbox) == doctest::Approx(20));
  const Image frame = Framed(100, 80, 7, 3, 13, 5);
  CHECK(ValueOf(frame, Signal::kLetterbox) == doctest::Approx(100 * (1 - 80 * 72 / 8000.0)));
  CHECK(ValueOf(frame, Signal::kBorder) == 3);
  const Image flat = FormulaPicture(60, 40, 3, "flat", 2);
  CHECK(ValueOf(flat, Signal::kLetterbox) == 100);
  CHECK(ValueOf(flat, Signal::kBorder) == 20);
}

TEST_CASE("a clear sky is no bar") {
  Image sky(Layout{100, 100, 1, Sample::kU8});
  for (int64_t y = 0; y < 100; ++y) std::memset(sky.row(y), static_cast<int>(100 + y), 100);
  CHECK(ValueOf(sky, Signal::kLetterbox) < 4.1);  // two rows at either end
}

TEST_CASE("the comb of two half images is interlacing, stripes along rows or noise are not") {
  // A bright block that has moved by 20 pixels between the half images: combs at its two sides.
  Image moving(Layout{200, 100, 1, Sample::kU8});
  for (int64_t y = 0; y < 100; ++y) {
    std::memset(moving.row(y), 40, 200);
    std::memset(moving.row(y) + 50 + 20 * (y % 2), 180, 80);
  }
  CHECK(ValueOf(moving, Signal::kInterlacing) == doctest::Approx(20));  // 2 x 20 of 200 columns
  Image stripes(Layout{200, 100, 1, Sample::kU8});
  for (int64_t y = 0; y < 100; ++y) {
    for (int64_t x = 0; x < 200; ++x) stripes.row(y)[x] = x % 2 == 0 ? 40 : 180;
  }
  CHECK(ValueOf(stripes, Signal::kInterlacing) == 0);
  CHECK(ValueOf(FormulaPicture(300, 300, 1, "noise", 1), Signal::kInterlacing) < 0.5);
}

TEST_CASE("the bits of samples that are used") {
  const auto depth_of = [](Sample sample, const auto& value_of) {
    Image picture(Layout{64, 64, 1, sample});
    for (uint64_t i = 0; i < 64 * 64; ++i) {
      const auto y = static_cast<int64_t>(i / 64), x = static_cast<int64_t>(i % 64);
      const auto value = static_cast<uint16_t>(value_of(i * 2654435761U % 65536));
      if (sample == Sample::kU8) {
        picture.row(y)[x] = static_cast<uint8_t>(value);
      } else {
        std::memcpy(picture.row(y) + 2 * x, &value, 2);
      }
    }
    return ValueOf(picture, Signal::kBitDepth);
  };
  CHECK(depth_of(Sample::kU8, [](uint64_t v) { return v % 256; }) == 8);
  CHECK(depth_of(Sample::kU8, [](uint64_t v) { return v % 16 * 17; }) == 4);  // 4 bits, stretched
  CHECK(depth_of(Sample::kU8, [](uint64_t v) { return v % 64 * 4; }) == 6);   // 6 bits, shifted
  CHECK(depth_of(Sample::kU8, [](uint64_t v) { return v % 2 * 255; }) == 1);
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return v; }) == 16);
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return v % 256 * 257; }) == 8);
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return v % 256 * 256; }) == 8);
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return v % 1024 << 6 | v % 1024 >> 4; }) == 10);
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return v % 4096 * 16; }) == 12);
  // Multiplied: np.rint(v / 4095 * 65535), the same without rint, and 5 bits in 8.
  CHECK(depth_of(Sample::kU16, [](uint64_t v) {
          return static_cast<uint64_t>(std::rint(static_cast<double>(v % 4096) / 4095 * 65535));
        }) == 12);
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return v % 16384 * 65535 / 16383; }) == 14);
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return (v % 1024 * 65535 + 511) / 1023; }) == 10);
  CHECK(depth_of(Sample::kU8, [](uint64_t v) { return (v % 32 * 255 + 15) / 31; }) == 5);
  CHECK(depth_of(Sample::kU8, [](uint64_t v) { return v % 128 * 255 / 127; }) == 7);
  // One sample that no fewer bits give is enough.
  CHECK(depth_of(Sample::kU16, [](uint64_t v) { return v % 4096 == 77 ? 1233 : v % 4096 * 16; }) == 16);
}

TEST_CASE("colours are counted exactly as long as they are few") {
  for (const int colours : {1, 2, 255, 1000, 1023, 1024, 4000}) {
    Image picture(Layout{100, 100, 3, Sample::kU8});
    for (int64_t i = 0; i < 10'000; ++i) {
      const auto colour = static_cast<int>(i * 7919 % colours);
      uint8_t* pixel = picture.row(i / 100) + 3 * (i % 100);
      pixel[0] = static_cast<uint8_t>(colour * 13);
      pixel[1] = static_cast<uint8_t>(colour / 256);
      pixel[2] = static_cast<uint8_t>(colour);
    }
    CHECK(ValueOf(picture, Signal::kUniqueColors) == std::min(colours, 1024));
  }
}

TEST_CASE("blur is told from flat content") {
  // One sharp edge beside much that is flat, and the same edge over 24 pixels: little detail in both.
  Image sharp(Layout{200, 100, 1, Sample::kU8}), soft(Layout{200, 100, 1, Sample::kU8});
  for (int64_t y = 0; y < 100; ++y) {
    for (int64_t x = 0; x < 200; ++x) {
      sharp.row(y)[x] = x < 100 ? 60 : 180;
      soft.row(y)[x] = static_cast<uint8_t>(60 + 5 * std::clamp<int64_t>(x - 88, 0, 24));
    }
  }
  CHECK(ValueOf(sharp, Signal::kBlur) < 0.2);
  CHECK(ValueOf(soft, Signal::kBlur) > 0.7);
  CHECK_FALSE(MeasureSignals(FormulaPicture(50, 50, 1, "flat", 1).view(), {Signal::kBlur})[Signal::kBlur]
                  .has_value());
}

TEST_CASE("exposure and cast, by hand") {
  Image picture(Layout{100, 1, 3, Sample::kU8});
  for (int64_t x = 0; x < 100; ++x) {
    const int level = x < 10 ? 1 : x < 15 ? 254 : 100;
    for (int64_t band = 0; band < 3; ++band) picture.row(0)[3 * x + band] = static_cast<uint8_t>(level);
  }
  CHECK(ValueOf(picture, Signal::kClippedDark) == 10);
  CHECK(ValueOf(picture, Signal::kClippedBright) == 5);
  CHECK(ValueOf(picture, Signal::kDarkEnd) == 1);
  CHECK(ValueOf(picture, Signal::kBrightEnd) == 254);
  CHECK(ValueOf(picture, Signal::kSaturation) == 0);
  CHECK(ValueOf(picture, Signal::kColorCast) == 0);
  // Red 100 above grey everywhere: rg = 100, yb = 50, no spread, which counts as 1 level.
  for (int64_t x = 0; x < 100; ++x) {
    picture.row(0)[3 * x] = 200;
    picture.row(0)[3 * x + 1] = picture.row(0)[3 * x + 2] = 100;
  }
  CHECK(ValueOf(picture, Signal::kColorCast) == doctest::Approx(std::hypot(100, 50)));
  CHECK(ValueOf(picture, Signal::kSaturation) == doctest::Approx(100 * 128 / 255.0));  // 127.5, rounded
}

}  // namespace imgmill
