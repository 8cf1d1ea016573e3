// One drawn scene, seen through crops, gains, shifts and turns; and scenes that are others.
#include "imgmill/metrics/picture_matcher.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "imgmill/memory/pool.h"

namespace imgmill {
namespace {

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;
  SmallPicture small() const { return {width, height, pixels.data()}; }
};

/// A scene of some hundred disks, in more detail than any picture shows: brightness at a place, 0 to 1 across
/// and down.
class Scene {
 public:
  explicit Scene(unsigned seed) : levels_(size_t{kWidth} * kHeight, 128) {
    std::mt19937 random(seed);
    const auto between = [&](double from, double to) {
      return std::uniform_real_distribution<double>(from, to)(random);
    };
    for (int i = 0; i < 250; ++i) {
      const double middle_x = between(-0.1, 1.1) * kWidth, middle_y = between(-0.1, 1.1) * kHeight;
      const double radius = between(0.015, 0.12) * kWidth, level = between(20, 235);
      for (int y = std::max(0, static_cast<int>(middle_y - radius)); y < kHeight && y < middle_y + radius;
           ++y) {
        for (int x = std::max(0, static_cast<int>(middle_x - radius)); x < kWidth && x < middle_x + radius;
             ++x) {
          if (std::hypot(x - middle_x, y - middle_y) < radius)
            levels_[static_cast<size_t>(y) * kWidth + static_cast<size_t>(x)] = level;
        }
      }
    }
  }
  double operator()(double x, double y) const {
    const auto at_x = static_cast<size_t>(std::clamp(x * kWidth, 0.0, kWidth - 1.0));
    const auto at_y = static_cast<size_t>(std::clamp(y * kHeight, 0.0, kHeight - 1.0));
    return levels_[at_y * kWidth + at_x];
  }

 private:
  static constexpr int kWidth = 1536, kHeight = 1024;
  std::vector<double> levels_;
};

/// Four samples a pixel.
Picture Draw(int width, int height, const std::function<double(double x, double y)>& level) {
  Picture picture{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum = 0;
      for (const double dx : {0.25, 0.75}) {
        for (const double dy : {0.25, 0.75}) sum += level((x + dx) / width, (y + dy) / height);
      }
      picture.pixels.push_back(static_cast<uint8_t>(std::clamp(sum / 4 + 0.5, 0.0, 255.0)));
    }
  }
  return picture;
}

std::optional<PictureMatch> Match(const Picture& a, const Picture& b) {
  return PictureMatcher().Match(a.small(), b.small());
}

}  // namespace

TEST_CASE("a picture equals itself, and another scene is no match") {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Picture picture = Draw(192, 128, Scene(seed));
    const auto same = Match(picture, picture);
    REQUIRE(same.has_value());
    CHECK(same->difference < 1e-3);
    CHECK(same->left < 0.01);
    CHECK(same->bottom > 0.99);
    const auto other = Match(picture, Draw(192, 128, Scene(seed + 100)));
    CHECK((!other || other->difference > 0.4));
  }
}

TEST_CASE("a crop is found where it was cut, whichever of the two it is") {
  struct Crop {
    double left, top, right, bottom;
  };
  for (unsigned seed = 0; seed < 5; ++seed) {
    const Scene scene(seed);
    const Picture whole = Draw(192, 128, scene);
    for (const Crop& crop : {Crop{0, 0, 0.7, 0.7}, Crop{0.3, 0.1, 1, 0.8}, Crop{0.05, 0.05, 0.95, 0.95},
                             Crop{0, 0, 0.75, 1}, Crop{0.1, 0.02, 0.99, 0.9}}) {
      CAPTURE(seed);
      CAPTURE(crop.right);
      const double width = crop.right - crop.left, height = crop.bottom - crop.top;
      const int short_side = static_cast<int>(128 / width * height);
      const Picture part = Draw(192, short_side, [&](double x, double y) {
        return scene(crop.left + x * width, crop.top + y * height);
      });
      const auto found = Match(whole, part);
      REQUIRE(found.has_value());
      CHECK(found->difference < 0.1);
      CHECK(std::abs(static_cast<double>(found->left) - crop.left) < 0.01);
      CHECK(std::abs(static_cast<double>(found->top) - crop.top) < 0.01);
      CHECK(std::abs(static_cast<double>(found->right) - crop.right) < 0.01);
      CHECK(std::abs(static_cast<double>(found->bottom) - crop.bottom) < 0.01);
      const auto back = Match(part, whole);
      REQUIRE(back.has_value());
      CHECK(back->difference < 0.1);
      CHECK(back->left < 0.01);
      CHECK(back->right > 0.99);
    }
  }
}

TEST_CASE("brightness, contrast, another size, a caption, a border and a small turn are the same picture") {
  for (unsigned seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    const Scene scene(seed);
    const Picture picture = Draw(192, 128, scene);
    const auto is_same = [&](const Picture& other) {
      const auto found = Match(picture, other);
      CHECK(found.has_value());
      CHECK(found.value_or(PictureMatch{9, 0, 0, 1, 1}).difference < 0.1);
    };
    is_same(Draw(192, 128, [&](double x, double y) { return 0.5 * scene(x, y) + 90; }));
    is_same(Draw(48, 32, scene));
    is_same(Draw(192, 64, scene));  // squeezed
    is_same(Draw(192, 128, [&](double x, double y) {
      const bool letters = y > 0.85 && static_cast<int>(x * 40) % 2 == 0;
      return letters ? 255 : scene(x, y);
    }));
    is_same(Draw(192, 135, [&](double x, double y) {
      const double inner_x = (x - 0.05) / 0.9, inner_y = (y - 0.07) / 0.86;
      return inner_x < 0 || inner_x > 1 || inner_y < 0 || inner_y > 1 ? 255 : scene(inner_x, inner_y);
    }));
    is_same(Draw(192, 128, [&](double x, double y) {
      const double angle = 3 * std::acos(-1.0) / 180;
      const double from_x = (x - 0.5) * 1.5, from_y = y - 0.5;
      return scene((std::cos(angle) * from_x - std::sin(angle) * from_y) / 1.5 + 0.5,
                   std::sin(angle) * from_x + std::cos(angle) * from_y + 0.5);
    }));
  }
}

TEST_CASE("a camera that moved shows near things further away: another picture") {
  for (unsigned seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    const Scene scene(seed);
    const Picture picture = Draw(192, 128, scene);
    // A hill in the middle moves by 4 % of the width more than what lies behind it.
    const auto moved = Match(picture, Draw(192, 128, [&](double x, double y) {
                               return scene(x + 0.04 * std::sin(6 * x) * std::sin(7 * y), y);
                             }));
    CHECK((!moved || moved->difference > 0.2));
  }
}

TEST_CASE("neighbouring crops and halves that overlap are no copies") {
  const Scene scene(3);
  const Picture left = Draw(160, 128, [&](double x, double y) { return scene(x * 0.6, y); });
  const Picture right = Draw(160, 128, [&](double x, double y) { return scene(0.4 + x * 0.6, y); });
  const auto overlapping = Match(left, right);
  CHECK((!overlapping || overlapping->difference > 0.2));
}

TEST_CASE("pictures of every size and without anything to see are compared without harm") {
  const Picture flat{192, 192, std::vector<uint8_t>(192 * 192, 77)};
  for (const auto& [width, height] :
       {std::pair{16, 16}, {192, 16}, {16, 192}, {40, 16}, {192, 192}, {17, 33}}) {
    CAPTURE(width);
    CAPTURE(height);
    const Picture picture = Draw(width, height, Scene(1));
    const auto same = Match(picture, picture);
    REQUIRE(same.has_value());
    CHECK(same->difference < 1e-3);
    Match(picture, Draw(192, 128, Scene(1)));
    CHECK_FALSE(Match(picture, flat).has_value());
    CHECK_FALSE(Match(flat, picture).has_value());
  }
  CHECK_FALSE(Match(flat, flat).has_value());
}

TEST_CASE("a matcher takes from the pool what it says, and nothing while it works") {
  const Picture picture = Draw(192, 192, Scene(1));
  HostPool().ResetPeak();
  const size_t before = HostPool().Stats().charged;
  PictureMatcher matcher;
  matcher.Match(picture.small(), picture.small());
  CHECK(HostPool().Stats().peak_charged - before <= PictureMatcher::PooledBytes() + 16 * 1024);
}

}  // namespace imgmill
