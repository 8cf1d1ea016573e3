// What counts as a grid of JPEG's blocks, and that blockiness and jpeg_visible measure nothing else.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "imgmill/image/reader.h"
#include "imgmill/signals/signal_set.h"
#include "signals/formula_picture.h"
#include "signals/grid_excess.h"

namespace imgmill {
namespace {

const SignalSet kBoth = {Signal::kBlockiness, Signal::kJpegVisible};

/// A soft wave with flat noise of `amplitude` levels, and every 8 pixels a step of `step` levels.
Image Wave(int amplitude, int step) {
  Image picture(Layout{240, 200, 1, Sample::kU8});
  for (int64_t y = 0; y < 200; ++y) {
    for (int64_t x = 0; x < 240; ++x) {
      const double wave = 120 + 40 * std::sin(0.05 * static_cast<double>(x + 2 * y));
      const int noise = Mix(static_cast<uint64_t>(y * 240 + x)) * amplitude / 255 - amplitude / 2;
      const int64_t block = (y + 3) / 8 * 100 + (x + 6) / 8;
      const int level = Mix(static_cast<uint64_t>(block)) * step / 255 - step / 2;
      picture.row(y)[x] = static_cast<uint8_t>(std::lround(wave) + noise + level);
    }
  }
  return picture;
}

Image EnlargedBy(const Image& small, int64_t times) {
  const Layout& from = small.layout();
  Image large(Layout{from.width * times, from.height * times, 1, Sample::kU8});
  for (int64_t y = 0; y < large.layout().height; ++y) {
    for (int64_t x = 0; x < large.layout().width; ++x) {
      // Linear between pixels along rows: the pattern of steps repeats every `times` pixels.
      const int64_t left = x / times, right = std::min(left + 1, from.width - 1), part = x % times;
      const uint8_t* row = small.row(y / times);
      large.row(y)[x] = static_cast<uint8_t>((row[left] * (times - part) + row[right] * part) / times);
    }
  }
  return large;
}

}  // namespace

TEST_CASE("the prominence of a grid, by hand") {
  GridExcess flat, comb, half, few;
  for (int i = 1; i < 100; ++i) {
    flat.Add(7);
    comb.Add(i % 8 == 0 ? 9 : 7);
    half.Add(i % 4 == 0 ? 9 : 7);
    if (i < 13) few.Add(i % 8 == 0 ? 9 : 7);
  }
  CHECK(flat.Prominence() == 0);
  CHECK(std::isinf(comb.Prominence()));
  CHECK(half.Prominence() == 0);  // two phases alike
  CHECK(few.Prominence() == 0);

  // 16 phases' worth of places, and alternately 3 and 5 levels at those of phase 0: excesses of 12 and 20
  // there
  // (-3 and -5 beside), whose mean over 4 places is 16. Squares about the means: 4 x 16 there, 4 x 1 at each
  // of the four phases beside: 80 in all, with 32 places less 8 degrees of freedom.
  GridExcess uneven;
  for (int i = 1; i <= 36; ++i) uneven.Add(i % 16 == 0 ? 5 : i % 8 == 0 ? 3 : 0);
  CHECK(uneven.Prominence() == doctest::Approx(16 * std::sqrt(4.0) / std::sqrt(80.0 / 24)));
}

TEST_CASE("blocks count, and noise, soft content and enlargements without blocks do not") {
  for (const int amplitude : {0, 4, 40, 120}) {
    const SignalValues values = MeasureSignals(Wave(amplitude, 0).view(), kBoth);
    CHECK(values[Signal::kBlockiness] == 0.0);
    CHECK(values[Signal::kJpegVisible] == 10.0);
  }
  for (const int64_t times : {2, 3, 4}) {
    const SignalValues values = MeasureSignals(EnlargedBy(Wave(60, 0), times).view(), kBoth);
    CHECK(values[Signal::kBlockiness] == 0.0);
    CHECK(values[Signal::kJpegVisible] == 10.0);
  }
  double before = 0;
  for (const int step : {4, 8, 16, 40}) {
    const SignalValues values = MeasureSignals(Wave(4, step).view(), kBoth);
    CHECK(*values[Signal::kBlockiness] > 1.3 * before + 10);
    before = *values[Signal::kBlockiness];
  }
}

TEST_CASE("jpeg_visible is between 1 and 10 for every file that can be read") {
  for (const int step : {0, 1, 20, 120})
    for (const int amplitude : {0, 1, 100}) {
      const double value = *MeasureSignals(Wave(amplitude, step).view(), kBoth)[Signal::kJpegVisible];
      CHECK(value >= 1);
      CHECK(value <= 10);
    }
  // Pixel art: all steps lie on the grid, fewer than none in between.
  Image art(Layout{240, 240, 1, Sample::kU8});
  for (int64_t y = 0; y < 240; ++y) {
    for (int64_t x = 0; x < 240; ++x)
      art.row(y)[x] = static_cast<uint8_t>(Mix(static_cast<uint64_t>(y / 8 * 30 + x / 8)));
  }
  CHECK(MeasureSignals(art.view(), kBoth)[Signal::kJpegVisible] == 1.0);
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return;
  }
  InitImageLibraries();
  int measured = 0;
  for (const std::string folder : {"odd/quality-issues", "odd/pillow", "odd/sharp", "photos/scikit-image"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(assets) + "/" + folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string path = entry.path().string();
      const auto header = Probe(path, ImageLimits{});
      if (!header || header->width * header->height > 4'000'000) continue;
      const auto reader = OpenRows(path, *header, ReadOptions{});
      if (!reader) continue;
      Image image((*reader)->layout());
      if (!(*reader)->Read(image.layout().height, image.row(0), image.layout().row_bytes())) continue;
      const auto value = MeasureSignals(image.view(), kBoth)[Signal::kJpegVisible];
      if (!value) continue;
      CAPTURE(path);
      CHECK(*value >= 1);
      CHECK(*value <= 10);
      ++measured;
    }
  }
  CHECK(measured > 60);
}

}  // namespace imgmill
