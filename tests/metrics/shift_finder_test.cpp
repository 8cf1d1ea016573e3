// Shifts that were made are found; a transform is checked against the sum that defines it.
#include "imgmill/metrics/shift_finder.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "metrics/drawn_pair.h"
#include "metrics/fourier.h"

namespace imgmill {
namespace {

/// Values that are alike nowhere else, smooth over a few pixels.
int64_t Noise(int64_t x, int64_t y, int64_t c) {
  const auto value = [](int64_t u, int64_t v) {
    auto hash = static_cast<uint32_t>(u * 374761393 + v * 668265263);
    hash = (hash ^ (hash >> 13)) * 1274126177u;
    return static_cast<int64_t>((hash ^ (hash >> 16)) % 200);
  };
  return (value(x, y) + value(x + 1, y) + value(x, y + 1) + value(x + 1, y + 1)) / 4 + 10 * c;
}

Shift Find(const Image& a, const Image& b) {
  ShiftFinder finder(ShapeOf(a.layout(), b.layout()));
  PlaneRows of_a(a.layout(), finder.square()), of_b(b.layout(), finder.square());
  for (int64_t y = finder.first_row(); y < finder.first_row() + finder.side(); ++y) {
    finder.AddFirst(of_a.Take(a.row(y), finder.first_column()));
    finder.AddSecond(of_b.Take(b.row(y), finder.first_column()));
  }
  return finder.Find();
}

}  // namespace

TEST_CASE("a shift of whole pixels is found in each direction") {
  const Layout layout{300, 270, 3, Sample::kU8};
  const Image image = Draw<uint8_t>(layout, Noise);
  for (const auto& [dx, dy] : {std::pair{0, 0}, {1, 0}, {-7, 3}, {20, -31}, {-40, -40}}) {
    CAPTURE(dx);
    CAPTURE(dy);
    const Image moved = Draw<uint8_t>(
        layout, [dx = dx, dy = dy](int64_t x, int64_t y, int64_t c) { return Noise(x - dx, y - dy, c); });
    const Shift shift = Find(image, moved);
    CHECK(shift.dx == dx);
    CHECK(shift.dy == dy);
    CHECK(std::fabs(shift.exact_x - dx) < 0.3);
    CHECK(std::fabs(shift.exact_y - dy) < 0.3);
    CHECK(shift.reliable);
  }
}

TEST_CASE("pictures with nothing in common are not shifted") {
  const Layout layout{128, 128, 1, Sample::kU8};
  const Image flat = Draw<uint8_t>(layout, [](int64_t, int64_t, int64_t) { return 77; });
  CHECK(Find(flat, flat).dx == 0);
  CHECK(Find(flat, flat).dy == 0);
  CHECK_FALSE(Find(flat, flat).reliable);
  // Of two noises some shift always fits a little better than none.
  for (const int64_t side : {40, 128, 300}) {
    const Layout noisy{side, side, 1, Sample::kU8};
    for (int64_t other = 1; other <= 20; ++other) {
      const auto far = [&](int64_t x, int64_t y, int64_t c) {
        return Noise(x + 10'007 * other, y - 4'001 * other, c);
      };
      const Shift shift = Find(Draw<uint8_t>(noisy, Noise), Draw<uint8_t>(noisy, far));
      CHECK((shift.dx == 0 && shift.dy == 0));
      CHECK_FALSE(shift.reliable);
    }
  }
}

TEST_CASE("the transform is the sum that defines it, and its own inverse") {
  constexpr size_t kSide = 16;
  std::mt19937 random(5);
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<std::complex<float>> square(kSide * kSide);
  for (auto& value : square) value = {values(random), values(random)};
  std::vector<std::complex<float>> transformed = square;
  TransformSquare(transformed, kSide, false);
  for (const auto& [u, v] : {std::pair<size_t, size_t>{0, 0}, {3, 5}, {15, 8}}) {
    std::complex<double> sum;
    for (size_t y = 0; y < kSide; ++y) {
      for (size_t x = 0; x < kSide; ++x) {
        const double angle = -2 * std::numbers::pi * static_cast<double>(u * x + v * y) / kSide;
        sum += std::complex<double>(square[y * kSide + x]) * std::polar(1.0, angle);
      }
    }
    CHECK(std::abs(sum - std::complex<double>(transformed[v * kSide + u])) < 1e-4);
  }
  TransformSquare(transformed, kSide, true);
  for (size_t i = 0; i < square.size(); ++i) {
    CHECK(std::abs(transformed[i] / static_cast<float>(kSide * kSide) - square[i]) < 1e-5F);
  }
}

}  // namespace imgmill
