// Which profiles pass for sRGB, and so need no colour engine: made by hand from ICC.1:2010 and IEC 61966-2-1.
#include "image/icc_profile.h"

#include <doctest/doctest.h>

#include "image/profile_builder.h"

using namespace imgmill;
using namespace profile_builder;

namespace {

bool Plain(const std::string& profile) {
  return IsPlainSrgb(std::vector<uint8_t>(profile.begin(), profile.end()));
}

// IEC 61966-2-1, 5.2: to linear light.
constexpr double kPower = 2.4, kSlope = 1 / 1.055, kOffset = 0.055 / 1.055, kLine = 1 / 12.92,
                 kBorder = 0.04045;

}  // namespace

TEST_CASE("sRGB's own curve is plain, by formula and by points; others are not") {
  CHECK(Plain(Profile(Formula(kPower, kSlope, kOffset, kLine, kBorder))));
  std::vector<uint64_t> points;
  for (int i = 0; i < 1024; ++i) {
    const double v = i / 1023.0;
    const double linear = v <= kBorder ? v * kLine : std::pow(v * kSlope + kOffset, kPower);
    points.push_back(static_cast<uint64_t>(std::lround(linear * 65535)));
  }
  CHECK(Plain(Profile(Points(points))));
  CHECK_FALSE(Plain(Profile(Points({0x0100}))));  // gamma 1
  CHECK_FALSE(Plain(Profile(Formula(1.8, kSlope, kOffset, kLine, kBorder))));
}

TEST_CASE("grey with sRGB's curve is plain, as JPEG XL has it; with another it is not") {
  CHECK(Plain(GreyProfile(Formula(kPower, kSlope, kOffset, kLine, kBorder))));
  CHECK_FALSE(Plain(GreyProfile(Points({0x0233}))));  // gamma 2.2
  CHECK_FALSE(Plain(OfTags("GRAY", {})));
  CHECK_FALSE(Plain(OfTags("CMYK", {{"kTRC", Formula(kPower, kSlope, kOffset, kLine, kBorder)}})));
}

TEST_CASE("a profile of grey becomes one of RGB with the same curve") {
  const auto rgb = [](const std::string& grey) {
    const std::vector<uint8_t> made = RgbOfGrey({grey.begin(), grey.end()});
    return std::string(made.begin(), made.end());
  };
  const std::string formula = Formula(kPower, kSlope, kOffset, kLine, kBorder);
  const std::string made = rgb(GreyProfile(formula));
  CHECK(SpaceOfProfile({made.begin(), made.end()}) == ProfileSpace::kRgb);
  CHECK(Plain(made));  // of sRGB's primaries, with sRGB's curve
  CHECK(made.substr(0, 4) == BigEndian(made.size(), 4));
  const std::string other = rgb(GreyProfile(Points({0, 0x4000, 0xFFFF})));
  CHECK_FALSE(Plain(other));
  CHECK(other.find(Points({0, 0x4000, 0xFFFF})) != std::string::npos);
  CHECK(rgb(Profile(formula)).empty());
  CHECK(rgb(OfTags("GRAY", {})).empty());
}

TEST_CASE("a curve that gives no numbers is no plain one") {
  // Powers of negative numbers at each of the points that are looked at (C17, F.10.4.4: pow gives a NaN).
  CHECK_FALSE(Plain(Profile(Formula(kPower, -1, -1, 1, 0))));
}

TEST_CASE("profiles cut at every byte are refused or read, and never read beyond their end") {
  const std::string whole = Profile(Points({0, 0x4000, 0xFFFF}));
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) CHECK_FALSE(Plain(whole.substr(0, bytes)));
}
