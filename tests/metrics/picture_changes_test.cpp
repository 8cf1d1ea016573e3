// What is the same picture up to an edit of all of it, and what shows another thing in one place.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "imgmill/metrics/picture_matcher.h"

namespace imgmill {
namespace {

using Colour = std::array<double, 3>;
/// Of a place, 0 to 1 across and down.
using Scene = std::function<Colour(double x, double y)>;

double LumaOf(const Colour& colour) {
  return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
}

uint8_t Level(double value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5, 1.0, 255.0));
}

struct Views {
  std::vector<uint8_t> small, colours, large;
  SmallPicture small_view() const { return {192, 128, small.data()}; }
  SmallColours colours_view() const { return {48, 32, colours.data()}; }
  SmallPicture large_view() const { return {384, 256, large.data()}; }
};

/// At three sizes, four samples a pixel, sixteen a cell.
Views Draw(const Scene& scene) {
  Views views;
  const auto draw = [&](int width, int height, int samples, const std::function<void(const Colour&)>& put) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        Colour sum{};
        for (int i = 0; i < samples * samples; ++i) {
          const double across = (i % samples + 0.5) / samples, down = (i / samples + 0.5) / samples;
          const Colour one = scene((x + across) / width, (y + down) / height);
          for (size_t band = 0; band < 3; ++band)
            sum[band] += std::clamp(one[band], 0.0, 255.0) / (samples * samples);
        }
        put(sum);
      }
    }
  };
  draw(192, 128, 2, [&](const Colour& colour) { views.small.push_back(Level(LumaOf(colour))); });
  draw(384, 256, 2, [&](const Colour& colour) { views.large.push_back(Level(LumaOf(colour))); });
  draw(48, 32, 4, [&](const Colour& colour) {
    for (const double value : colour) views.colours.push_back(Level(value));
  });
  return views;
}

struct Changes {
  double difference = 9, colours = 0, things = 0, strokes = 0;
};

Changes Compare(const Views& first, const Views& second) {
  PictureMatcher matcher;
  const auto match = matcher.Match(first.small_view(), second.small_view());
  if (!match) return {};
  return {match->difference, matcher.ColourDifference(first.colours_view(), second.colours_view()),
          matcher.ChangedThings(), matcher.ChangedStrokes(first.large_view(), second.large_view())};
}

/// Sixty coloured disks, one upon the other.
Scene Disks(unsigned seed) {
  struct Disk {
    double x, y, radius;
    Colour colour;
  };
  std::mt19937 random(seed);
  const auto between = [&](double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random);
  };
  std::vector<Disk> disks;
  for (int i = 0; i < 60; ++i) {
    Disk disk{between(0, 1), between(0, 1), between(0.04, 0.2), {}};
    for (double& value : disk.colour) value = between(40, 215);
    disks.push_back(disk);
  }
  return [disks](double x, double y) {
    Colour colour = {120, 125, 130};
    for (const Disk& disk : disks) {
      if ((x - disk.x) * (x - disk.x) + (y - disk.y) * (y - disk.y) / 2.25 < disk.radius * disk.radius)
        colour = disk.colour;
    }
    return colour;
  };
}

Scene Edited(const Scene& scene, const std::function<Colour(const Colour&)>& edit) {
  return [=](double x, double y) { return edit(scene(x, y)); };
}

/// A form with ten lines; on each of them strokes that hang on the seed, or none at 0.
Scene Form(unsigned seed) {
  return [seed](double x, double y) -> Colour {
    const Colour paper = {250, 250, 248}, ink = {30, 35, 90}, line = {90, 90, 90};
    if (y < 0.1)
      return x > 0.3 && x < 0.7 && y > 0.04 && std::fmod(x * 60, 2) < 1 ? Colour{20, 20, 20} : paper;
    const int row = static_cast<int>(y * 10);
    const double within = y * 10 - row;
    if (within > 0.9 && within < 0.96 && x > 0.08 && x < 0.92) return line;
    if (seed == 0 || within < 0.35 || within > 0.8 || x < 0.1) return paper;
    const int letter = static_cast<int>(x * 45);
    std::mt19937 random(seed * 7919u + static_cast<unsigned>(row * 100 + letter));
    if (x > 0.35 + 0.05 * (static_cast<double>(seed * 31u + static_cast<unsigned>(row) * 17u % 10u) / 31.0 -
                           seed))
      return paper;
    const double across = x * 45 - letter, down = (within - 0.35) / 0.45;
    const double from = std::uniform_real_distribution<double>(0, 1)(random);
    const double to = std::uniform_real_distribution<double>(0, 1)(random);
    return std::abs(across - (from + (to - from) * down)) < 0.14 ? ink : paper;
  };
}

}  // namespace

TEST_CASE("a cast, a fading, a grey and a toned copy have the same colours; turned hues are others") {
  for (unsigned seed = 1; seed < 3; ++seed) {
    CAPTURE(seed);
    const Scene scene = Disks(seed);
    const Views picture = Draw(scene);
    const auto colours = [&](const std::function<Colour(const Colour&)>& edit) {
      const Changes changes = Compare(picture, Draw(Edited(scene, edit)));
      CHECK(changes.difference < 0.1);
      return changes.colours;
    };
    CHECK(colours([](const Colour& c) { return c; }) < 0.5);
    CHECK(colours([](const Colour& c) { return Colour{c[0] * 1.12, c[1], c[2] * 0.85}; }) < 8);
    CHECK(colours([](const Colour& c) {
            return Colour{c[0] * 0.6 + 60, c[1] * 0.6 + 60, c[2] * 0.6 + 50};
          }) < 8);
    CHECK(colours([](const Colour& c) { return Colour{LumaOf(c), LumaOf(c), LumaOf(c)}; }) < 1);
    CHECK(colours([](const Colour& c) { return Colour{LumaOf(c) + 12, LumaOf(c), LumaOf(c) - 18}; }) < 4);
    CHECK(colours([](const Colour& c) {
            // Turned by 120 degrees about the grey axis, at the same luma.
            const double luma = LumaOf(c), cosine = -0.5, sine = std::sqrt(0.75);
            const double cb = 0.564 * (c[2] - luma), cr = 0.713 * (c[0] - luma);
            const double red = (cb * sine + cr * cosine) / 0.713, blue = (cb * cosine - cr * sine) / 0.564;
            return Colour{luma + red, luma - (0.299 * red + 0.114 * blue) / 0.587, luma + blue};
          }) > 12);
  }
}

TEST_CASE("a shirt in another colour has other colours, whatever the ground") {
  const auto shirt = [](Colour cloth) -> Scene {
    return [cloth](double x, double y) -> Colour {
      const bool inside = y > 0.15 && y < 0.95 && std::abs(x - 0.5) < 0.12 + (y < 0.4 ? 0.15 : 0);
      const double fold = 1 + 0.12 * std::sin(40 * x + 9 * y) * std::cos(17 * y);
      return inside ? Colour{cloth[0] * fold, cloth[1] * fold, cloth[2] * fold} : Colour{244, 244, 244};
    };
  };
  const Views red = Draw(shirt({178, 40, 48})), blue = Draw(shirt({38, 70, 150}));
  const Changes changes = Compare(red, blue);
  CHECK(changes.difference < 0.1);
  CHECK(changes.colours > 12);
  CHECK(Compare(red, red).colours < 0.5);
}

TEST_CASE("a thing that is another one is seen, a caption is none") {
  for (unsigned seed = 1; seed < 3; ++seed) {
    CAPTURE(seed);
    const Scene scene = Disks(seed);
    const Views picture = Draw(scene);
    const auto changes = [&](const Scene& other) { return Compare(picture, Draw(other)); };
    const Changes thing = changes([&](double x, double y) {
      if (std::hypot(x - 0.6, (y - 0.5) / 1.5) > 0.07) return scene(x, y);
      const Colour below = scene(x, y);
      return LumaOf(below) > 128 ? Colour{15, 15, 20} : Colour{240, 240, 235};
    });
    CHECK(thing.difference < 0.1);
    CHECK(thing.things > 0.2);
    const Changes caption = changes([&](double x, double y) {
      const bool letters = y > 0.86 && y < 0.93 && x > 0.2 && x < 0.8 && std::fmod(x * 50, 1) < 0.4;
      return letters ? Colour{255, 255, 255} : scene(x, y);
    });
    CHECK(caption.difference < 0.1);
    CHECK(caption.things < 0.2);
    CHECK(caption.strokes < 0.2);
  }
}

TEST_CASE("a form with other entries is another one, and so is a blank one; its copies are not") {
  const Views filled = Draw(Form(1));
  CHECK(FlatPart(filled.large_view()) > 0.8);
  CHECK(FlatPart(Draw(Disks(1)).large_view()) < FlatPart(filled.large_view()));
  const auto strokes = [&](const Views& other) {
    PictureMatcher matcher;
    REQUIRE(matcher.Match(filled.small_view(), other.small_view()).has_value());
    return matcher.ChangedStrokes(filled.large_view(), other.large_view());
  };
  CHECK(strokes(filled) == 0);
  // Paler, and with an encoder's noise.
  std::mt19937 random(1);
  Views copy = Draw(Edited(Form(1), [](const Colour& c) {
    return Colour{c[0] * 0.8 + 40, c[1] * 0.8 + 40, c[2] * 0.8 + 40};
  }));
  for (uint8_t& level : copy.large) level = Level(level + std::normal_distribution<double>(0, 2)(random));
  CHECK(strokes(copy) < 0.1);
  CHECK(strokes(Draw(Form(2))) > 0.2);
  CHECK(strokes(Draw(Form(0))) > 0.2);
}

}  // namespace imgmill
