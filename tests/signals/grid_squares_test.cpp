// Squares on a grid against pyiqa's uniform_crop 0.1.16 on PyTorch 2.13, whose values these are.
#include "signals/grid_squares.h"

#include <doctest/doctest.h>

#include <vector>

#include "formula_picture.h"
#include "imgmill/signals/model_image.h"

using namespace imgmill;

namespace {

ModelInput Grid(int side, int grid) {
  ModelInput input;
  input.side = side;
  input.rule = SquareRule::kGrid;
  input.grid = grid;
  return input;
}

std::vector<float> SquaresOf(const Image& image, const ModelInput& input, int64_t strip = 1000) {
  ModelImage squares(input, image.layout());
  for (int64_t y = 0; y < image.layout().height; y += strip) {
    ImageView rows = image.view();
    rows.data = image.row(y);
    rows.layout.height = std::min(strip, image.layout().height - y);
    squares.Add(rows);
  }
  std::vector<float> planes(static_cast<size_t>(input.Squares() * 3 * input.side * input.side));
  squares.Finish(planes.data());
  return planes;
}

}  // namespace

TEST_CASE("a large image's squares are its pixels, at places that leave out what a step has left over") {
  const Image image = FormulaPicture(31, 20, 3, "noise", 4);
  const ModelInput input = Grid(6, 3);
  const std::vector<float> planes = SquaresOf(image, input);
  // Steps are (31 - 6) / 3 = 8 and (20 - 6) / 3 = 4, rounded down.
  size_t at = 0;
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      for (int64_t band = 0; band < 3; ++band) {
        for (int64_t y = 0; y < 6; ++y) {
          for (int64_t x = 0; x < 6; ++x)
            REQUIRE(planes[at++] == static_cast<float>(image.row(4 * i + y)[(8 * j + x) * 3 + band]));
        }
      }
    }
  }
  CHECK(at == planes.size());
  CHECK(SquaresOf(image, input, 1) == planes);
  CHECK(SquaresOf(image, input, 7) == planes);
}

TEST_CASE("a small image is enlarged to a pixel more than a square first") {
  Image image(Layout{5, 3, 3, Sample::kU8});
  for (int i = 0; i < 45; ++i) image.row(i / 15)[i % 15] = static_cast<uint8_t>(7 * i * i + 13 * i);
  // The two squares of the upper row; the lower one's are the same, since 5 rows leave no step.
  const std::vector<double> expected = {
      0,     40.8,   102,    85.2,   93.6,  112.32, 140.4, 90.48,  234,   219.6,  198,    98.4,
      114,   127.92, 148.8,  91.68,  20,    77.6,   164,   172.4,  95.2,  130.72, 184,    159.28,
      208,   210.4,  214,    139.6,  214,   183.28, 137.2, 105.28, 54,    128.4,  240,    120,
      110.8, 163.12, 241.6,  149.92, 196,   215.2,  244,   194.8,  174.4, 160.48, 139.6,  132.88,
      102,   85.2,   93.6,   152.4,  140.4, 90.48,  86.24, 173.36, 198,   98.4,   75.2,   204.8,
      148.8, 91.68,  80.24,  160.16, 164,   172.4,  154.8, 85.2,   184,   159.28, 129.04, 87.76,
      214,   139.6,  90.4,   91.6,   137.2, 105.28, 98.56, 142.24, 240,   120,    76.4,   185.6,
      241.6, 149.92, 114.16, 190.24, 244,   194.8,  170.8, 197.2,  139.6, 132.88, 120.64, 97.36};
  const std::vector<float> planes = SquaresOf(image, Grid(4, 2));
  REQUIRE(planes.size() == 2 * expected.size());
  for (size_t i = 0; i < planes.size(); ++i)
    CHECK(static_cast<double>(planes[i]) == doctest::Approx(expected[i % expected.size()]).epsilon(1e-4));
  CHECK(SquaresOf(image, Grid(4, 2), 1) == planes);
}

TEST_CASE("far along a long image, places are rounded as in the peer") {
  Image image(Layout{20000, 3, 3, Sample::kU8});
  for (int64_t y = 0; y < 3; ++y) {
    for (int64_t x = 0; x < 60000; ++x) image.row(y)[x] = static_cast<uint8_t>(x / 3 % 251);
  }
  const std::vector<float> planes = SquaresOf(image, Grid(4, 2));
  constexpr double kExpected[] = {209.2001953125, 209.80078125, 210.400390625, 211};
  for (size_t i = 0; i < 16; ++i)
    CHECK(static_cast<double>(planes[3 * 48 + i]) == doctest::Approx(kExpected[i % 4]).epsilon(1e-7));
}

TEST_CASE("squares take no more than is leased for them, and scale and order of bands count") {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 200}, {224, 224}, {225, 230}, {900, 301}}) {
    const Image image = FormulaPicture(width, height, 3, "noise", 3);
    ModelInput input = Grid(224, 5);
    const size_t before = HostPool().Stats().charged;
    const ModelImage squares(input, image.layout());
    CHECK(HostPool().Stats().charged - before <= ModelImage::PooledBytes(input, image.layout()) + 25 * 4096);
  }
  const Image image = FormulaPicture(8, 8, 3, "noise", 3);
  ModelInput input = Grid(4, 1);
  const std::vector<float> plain = SquaresOf(image, input);
  input.bgr = true;
  input.scale = {2, 2, 2};
  input.shift = {1, 1, 1};
  const std::vector<float> turned = SquaresOf(image, input);
  for (size_t i = 0; i < 16; ++i) CHECK(turned[i] == 2 * plain[32 + i] + 1);
}
