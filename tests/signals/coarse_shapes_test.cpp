// The count of coarse shapes against numbers from numpy, and against the definition, wave by wave.
#include "imgmill/signals/coarse_shapes.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "signals/formula_picture.h"

namespace imgmill {
namespace {

int Shapes(const Image& image) {
  CoarseShapes shapes(image.layout());
  shapes.Add(image.view());
  return shapes.Finish();
}

Image Grey(int64_t width, int64_t height, const std::function<double(double, double)>& level) {
  Image image(Layout{width, height, 1, Sample::kU8});
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x)
      image.row(y)[x] = static_cast<uint8_t>(
          std::clamp(std::nearbyint(level(static_cast<double>(x), static_cast<double>(y))), 0.0, 255.0));
  }
  return image;
}

}  // namespace

TEST_CASE("coarse shapes of plain figures") {
  // Right values: Pillow 12's BILINEAR to 32x32 and numpy's sums of cosines, in doubles.
  const double width = 640, height = 480;
  const auto of = [&](const auto& level) { return Shapes(Grey(640, 480, level)); };
  CHECK(of([](double, double) { return 200; }) == 0);
  CHECK(of([&](double x, double) { return x < width / 2 ? 220 : 30; }) == 4);
  CHECK(of([&](double x, double) { return x / width * 255; }) == 4);
  CHECK(of([&](double x, double y) { return (x + y) / (width + height) * 255; }) == 7);
  CHECK(of([&](double x, double y) { return 255 - std::hypot(x - width / 2, y - height / 2) / 2; }) == 11);
  CHECK(of([&](double x, double y) { return std::hypot(x - width / 2, y - height / 2) < 120 ? 0 : 255; }) ==
        15);
  CHECK(of([](double x, double y) { return std::fmod(std::floor(x / 80) + std::floor(y / 80), 2) * 255; }) ==
        16);
}

TEST_CASE("a picture of one wave has one shape, if the wave is a level strong") {
  const auto wave = [](double strength, int u, int v) {
    return Shapes(Grey(32, 32, [&](double x, double y) {
      return 128 + strength * std::cos(std::numbers::pi * u * (2 * x + 1) / 64) *
                       std::cos(std::numbers::pi * v * (2 * y + 1) / 64);
    }));
  };
  for (int u = 0; u < 8; ++u) {
    for (int v = 0; v < 8; ++v) {
      if (u == 0 && v == 0) continue;
      CAPTURE(u);
      CAPTURE(v);
      CHECK(wave(40, u, v) == 1);
      CHECK(wave(0.4, u, v) == 0);  // rounds to nothing
    }
  }
  CHECK(wave(40, 8, 0) == 0);  // too fine to be coarse
  CHECK(wave(40, 3, 9) == 0);
}

TEST_CASE("coarse shapes do not depend on how rows are cut, and grey has them with 1 band and 3 equal ones") {
  const Image picture = FormulaPicture(143, 77, 3, "noise", 5);
  const int whole = Shapes(picture);
  for (const int64_t strip : {1, 7, 76}) {
    CoarseShapes shapes(picture.layout());
    for (int64_t y = 0; y < 77; y += strip) {
      Layout layout = picture.layout();
      layout.height = std::min<int64_t>(strip, 77 - y);
      shapes.Add({picture.row(y), layout, layout.row_bytes()});
    }
    CHECK(shapes.Finish() == whole);
  }
  const Image grey = FormulaPicture(143, 77, 1, "noise", 5);
  Image rgb(Layout{143, 77, 3, Sample::kU8});
  for (int64_t y = 0; y < 77; ++y) {
    for (int64_t i = 0; i < 3 * 143; ++i) rgb.row(y)[i] = grey.row(y)[i / 3];
  }
  CHECK(Shapes(rgb) == Shapes(grey));
}

}  // namespace imgmill
