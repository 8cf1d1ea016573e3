// Figures against those of BasicSR 1.4.2, scikit-image 0.26 and pytorch-msssim 1.0, as
// bench/peers/compare_parity.py
// --golden prints them, and against arithmetic.
#include "imgmill/metrics/pair_meter.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "metrics/drawn_pair.h"

namespace imgmill {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void CheckNear(double found, double expected) {
  CAPTURE(found);
  CAPTURE(expected);
  CHECK(std::fabs(found - expected) < 2e-6);
}

Image Flat(const Layout& layout, int value) {
  return Draw<uint8_t>(layout, [value](int64_t, int64_t, int64_t) { return value; });
}

}  // namespace

TEST_CASE("8-bit pairs have the peers' figures") {
  const Layout layout{190, 171, 3, Sample::kU8};
  const PairFigures figures =
      Measure(Draw<uint8_t>(layout, FirstSample), Draw<uint8_t>(layout, SecondSample));
  CheckNear(figures[Metric::kPsnr], 29.654286587);
  CheckNear(figures[Metric::kPsnrY], 35.422979341);
  CheckNear(figures[Metric::kSsim], 0.982832754);
  CheckNear(figures[Metric::kSsimY], 0.991561502);
  CheckNear(figures[Metric::kMsSsim], 0.997788572);
  CheckNear(figures[Metric::kMae], 6.886190623);
  CheckNear(figures[Metric::kRmse], 8.391234367);
  CHECK(figures[Metric::kMax] == 19);
  CHECK_FALSE(figures.equal);
  CHECK_FALSE(figures.has_alpha);
}

TEST_CASE("small pairs have the peers' figures, and no MS-SSIM") {
  const Layout layout{40, 23, 3, Sample::kU8};
  const PairFigures figures =
      Measure(Draw<uint8_t>(layout, FirstSample), Draw<uint8_t>(layout, SecondSample));
  CheckNear(figures[Metric::kPsnr], 29.675891162);
  CheckNear(figures[Metric::kPsnrY], 35.436289912);
  CheckNear(figures[Metric::kSsim], 0.969185010);
  CheckNear(figures[Metric::kSsimY], 0.984543068);
  CHECK(std::isnan(figures[Metric::kMsSsim]));
}

TEST_CASE("16-bit pairs are compared to their last bit") {
  const Layout layout{190, 171, 3, Sample::kU16};
  const PairFigures figures =
      Measure(Draw<uint16_t>(layout, FirstDeepSample), Draw<uint16_t>(layout, SecondDeepSample));
  CheckNear(figures[Metric::kPsnr], 29.644045438);
  CheckNear(figures[Metric::kSsim], 0.982811981);
  CheckNear(figures[Metric::kMsSsim], 0.997737084);
  CheckNear(figures[Metric::kMae], 6.900497888);
  CheckNear(figures[Metric::kRmse], 8.401133935);
  CheckNear(figures[Metric::kMax], 19.961089494);
}

TEST_CASE("equal images have an infinite PSNR and an SSIM of exactly 1") {
  for (const int64_t height : {int64_t{161}, int64_t{176}}) {
    const Layout layout{203, height, 3, Sample::kU8};
    const Image image = Draw<uint8_t>(layout, FirstSample);
    const PairFigures figures = Measure(image, image);
    CHECK(figures.equal);
    CHECK(figures[Metric::kPsnr] == kInfinity);
    CHECK(figures[Metric::kPsnrY] == kInfinity);
    CHECK(figures[Metric::kSsim] == 1);
    CHECK(figures[Metric::kSsimY] == 1);
    CHECK(figures[Metric::kMsSsim] == 1);
    CHECK(figures[Metric::kMae] == 0);
    CHECK(figures[Metric::kMax] == 0);
  }
}

TEST_CASE("an 8-bit image equals its 16-bit twin, and a float one compares with both") {
  const Layout layout{30, 20, 3, Sample::kU8};
  Layout deep = layout, real = layout;
  deep.sample = Sample::kU16;
  real.sample = Sample::kF32;
  const Image image = Draw<uint8_t>(layout, FirstSample);
  const Image twin =
      Draw<uint16_t>(deep, [](int64_t x, int64_t y, int64_t c) { return FirstSample(x, y, c) * 257; });
  CHECK(Measure(image, twin).equal);
  const Image half =
      Draw<float>(real, [](int64_t, int64_t, int64_t) { return 0.5; });  // 127.5 of 255, by definition
  const PairFigures figures = Measure(Flat(layout, 100), half);
  CHECK(figures[Metric::kMae] == doctest::Approx(27.5).epsilon(1e-6));  // 100 / 255 is a float then
  CHECK(figures[Metric::kPsnr] == doctest::Approx(20 * std::log10(255 / 27.5)).epsilon(1e-6));
}

TEST_CASE("SSIM has no value below 11 pixels, MS-SSIM none up to 160") {
  struct Case {
    int64_t width, height;
    bool ssim, ms_ssim;
  };
  for (const Case& each :
       {Case{1, 1, false, false}, Case{10, 300, false, false}, Case{300, 10, false, false},
        Case{11, 11, true, false}, Case{160, 200, true, false}, Case{161, 161, true, true}}) {
    CAPTURE(each.width);
    const Layout layout{each.width, each.height, 1, Sample::kU8};
    const PairFigures figures = Measure(Flat(layout, 7), Flat(layout, 9));
    CHECK(std::isnan(figures[Metric::kSsim]) == !each.ssim);
    CHECK(std::isnan(figures[Metric::kSsimY]) == !each.ssim);
    CHECK(std::isnan(figures[Metric::kMsSsim]) == !each.ms_ssim);
    CheckNear(figures[Metric::kMae], 2);
    CheckNear(figures[Metric::kPsnr], 20 * std::log10(255 / 2.0));
  }
}

TEST_CASE("flat images differ by the first factor of SSIM alone") {
  const Layout layout{16, 16, 1, Sample::kU8};
  const PairFigures figures = Measure(Flat(layout, 100), Flat(layout, 140));
  // Variances are 0: (2 * 100 * 140 + c1) / (100^2 + 140^2 + c1), c1 = 2.55^2.
  CheckNear(figures[Metric::kSsim], (28000 + 6.5025) / (29600 + 6.5025));
}

TEST_CASE("grey counts as three equal channels") {
  const Layout grey{30, 20, 1, Sample::kU8}, rgb{30, 20, 3, Sample::kU8};
  const auto first = [](int64_t x, int64_t y, int64_t) { return FirstSample(x, y, 0); };
  const auto second = [](int64_t x, int64_t y, int64_t) { return SecondSample(x, y, 0); };
  const PairFigures as_rgb = Measure(Draw<uint8_t>(rgb, first), Draw<uint8_t>(rgb, second));
  const PairFigures as_grey = Measure(Draw<uint8_t>(grey, first), Draw<uint8_t>(grey, second));
  const PairFigures mixed = Measure(Draw<uint8_t>(grey, first), Draw<uint8_t>(rgb, second));
  for (const Metric metric : {Metric::kPsnr, Metric::kPsnrY, Metric::kSsim, Metric::kSsimY, Metric::kMae}) {
    CheckNear(as_grey[metric], as_rgb[metric]);
    CHECK(mixed[metric] == as_rgb[metric]);
  }
  // Luma in studio range is 219 / 255 times as far apart.
  CheckNear(as_grey[Metric::kPsnrY] - as_grey[Metric::kPsnr], 20 * std::log10(255 / 219.0));
}

TEST_CASE("transparent pixels are compared over white, alpha by itself") {
  const Layout rgba{4, 4, 4, Sample::kU8}, rgb{4, 4, 3, Sample::kU8};
  // What lies under alpha 0 is not seen: white.
  const Image hidden = Draw<uint8_t>(rgba, [](int64_t, int64_t, int64_t c) { return c == 3 ? 0 : 10; });
  const PairFigures seen = Measure(hidden, Flat(rgb, 255));
  CHECK(seen[Metric::kPsnr] == kInfinity);
  CHECK(seen.has_alpha);
  CHECK(seen[Metric::kAlphaMax] == 255);
  CHECK(seen[Metric::kAlphaMae] == 255);
  CHECK(seen.alpha_differs());
  CHECK_FALSE(seen.equal);
  // Half transparent black: 255 * (1 - 51 / 255) = 204.
  const Image glass = Draw<uint8_t>(rgba, [](int64_t, int64_t, int64_t c) { return c == 3 ? 51 : 0; });
  CheckNear(Measure(glass, Flat(rgb, 204))[Metric::kMae], 0);
  CHECK(Measure(glass, glass).equal);
  CHECK_FALSE(Measure(glass, glass).alpha_differs());
  CHECK(Measure(Flat(rgb, 7), Flat(rgb, 9))[Metric::kAlphaMax] == 0);
}

TEST_CASE("samples that are no numbers are noticed") {
  const Layout real{4, 4, 3, Sample::kF32};
  const Image zero = Draw<float>(real, [](int64_t, int64_t, int64_t) { return 0; });
  const Image bad = Draw<float>(real, [](int64_t x, int64_t, int64_t) {
    return x == 2 ? std::numeric_limits<double>::quiet_NaN() : 0;
  });
  CHECK(Measure(zero, zero).finite);
  CHECK_FALSE(Measure(zero, bad).finite);
}

TEST_CASE("metrics are found by name") {
  CHECK(MetricFromName("ms-ssim") == Metric::kMsSsim);
  CHECK(MetricFromName("alpha_max") == Metric::kAlphaMax);
  CHECK_FALSE(MetricFromName("ms ssim"));
  for (const MetricInfo& info : AllMetrics()) CHECK(InfoOf(info.metric).name == info.name);
}

}  // namespace imgmill
