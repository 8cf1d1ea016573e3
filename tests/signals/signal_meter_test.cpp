// The pixel signals against NumPy, SciPy and OpenCV, against arithmetic by hand, and cut into every kind of
// region.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "imgmill/image/reader.h"
#include "imgmill/signals/signal_set.h"
#include "signals/formula_picture.h"
#include "signals/golden_csv.h"

namespace imgmill {
namespace {

// The columns of the golden files.
constexpr Signal kGolden[] = {Signal::kBrightness,    Signal::kContrast,    Signal::kEntropy,
                              Signal::kSharpness,     Signal::kNoise,       Signal::kBlockiness,
                              Signal::kColorfulness,  Signal::kGrayscale,   Signal::kClippedDark,
                              Signal::kClippedBright, Signal::kDarkEnd,     Signal::kBrightEnd,
                              Signal::kSaturation,    Signal::kColorCast,   Signal::kSpatialInformation,
                              Signal::kBlur,          Signal::kJpegVisible, Signal::kLetterbox,
                              Signal::kBorder,        Signal::kInterlacing, Signal::kUniqueColors,
                              Signal::kBitDepth,      Signal::kUpscaled,    Signal::kTextShare};

void CheckAgainst(const SignalValues& values, const std::vector<std::string>& row, size_t first) {
  for (size_t i = 0; i < std::size(kGolden); ++i) {
    CAPTURE(InfoOf(kGolden[i]).name);
    const std::optional<double>& value = values[kGolden[i]];
    REQUIRE(value.has_value() == !row[first + i].empty());
    if (!value) continue;
    // NumPy adds up in floating point: where all pixels are alike its deviation is 1e-13, not 0.
    const double expected = std::stod(row[first + i]);
    CHECK(std::fabs(*value - expected) <= 1e-9 * std::max(1.0, std::fabs(expected)));
  }
}

Result<Image> ReadAll(const std::string& path, const ReadOptions& options) {
  const auto header = Probe(path, ImageLimits{});
  if (!header) return header.error();
  const auto reader = OpenRows(path, *header, options);
  if (!reader) return reader.error();
  Image image((*reader)->layout());
  if (Status read = (*reader)->Read(image.layout().height, image.row(0), image.layout().row_bytes()); !read)
    return read.error();
  return image;
}

SignalValues ByStrips(const Image& image, int64_t strip, SignalSet wanted = SignalSet::All()) {
  SignalMeter meter(image.layout(), wanted);
  for (int64_t y = 0; y < image.layout().height; y += strip) {
    Layout layout = image.layout();
    layout.height = std::min(strip, image.layout().height - y);
    meter.Add({image.row(y), layout, layout.row_bytes()});
  }
  return meter.Finish();
}

TEST_CASE("signals of formula pictures are those of NumPy, SciPy and OpenCV") {
  const auto rows = ReadGolden("formula_signals.csv");
  REQUIRE(rows.size() == 98);
  for (auto row : rows) {
    row.resize(5 + std::size(kGolden));  // a last empty cell is no cell to the reader
    CAPTURE(row[0] + "x" + row[1] + " " + row[3]);
    const Image picture = FormulaPicture(std::stoll(row[0]), std::stoll(row[1]), std::stoi(row[2]), row[3],
                                         std::stoull(row[4]));
    CheckAgainst(MeasureSignals(picture.view(), SignalSet::All()), row, 5);
  }
}

TEST_CASE("signals of photos are those of NumPy, SciPy and OpenCV on Pillow's pixels") {
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return;
  }
  InitImageLibraries();
  const auto rows = ReadGolden("photo_signals.csv");
  REQUIRE(rows.size() == 14);
  for (auto row : rows) {
    row.resize(1 + std::size(kGolden));
    CAPTURE(row[0]);
    ReadOptions options;
    options.keep_profile = true;  // Pillow applies none
    const auto image = ReadAll(std::string(assets) + "/" + row[0], options);
    REQUIRE(image.ok());
    CheckAgainst(MeasureSignals(image->view(), SignalSet::All()), row, 1);
  }
}

TEST_CASE("no signal depends on how the rows were cut into regions, or on what else is measured") {
  for (const char* pattern : {"noise", "blocks", "checks"}) {
    const Image picture = FormulaPicture(1061, 777, 3, pattern, 4);
    const SignalValues whole = MeasureSignals(picture.view(), SignalSet::All());
    for (const int64_t strip : {1, 2, 3, 7, 8, 64, 255, 256, 257, 776})
      CHECK(ByStrips(picture, strip) == whole);
    for (const SignalInfo& info : AllSignals()) {
      const SignalValues alone = ByStrips(picture, 100, {info.signal});
      CAPTURE(info.name);
      for (const SignalInfo& other : AllSignals()) {
        CHECK(alone[other.signal] == (other.signal == info.signal ? whole[other.signal] : std::nullopt));
      }
    }
  }
}

TEST_CASE("halves in black and white, by hand") {
  Image picture(Layout{40, 20, 1, Sample::kU8});
  for (int64_t y = 0; y < 20; ++y) {
    for (int64_t x = 0; x < 40; ++x) picture.row(y)[x] = x < 20 ? 0 : 255;
  }
  const SignalValues values = MeasureSignals(picture.view(), SignalSet::All());
  CHECK(values[Signal::kBrightness] == 127.5);
  CHECK(values[Signal::kContrast] == 127.5);
  CHECK(values[Signal::kEntropy] == 1.0);       // two levels, equally often
  CHECK(values[Signal::kColorfulness] == 0.0);  // grey
  CHECK(values[Signal::kGrayscale] == 1.0);
  CHECK(values[Signal::kNoise] == 0.0);  // the mask ignores a straight edge
  // Of 38 inner columns one has a Laplacian of 255, one of -255: mean 0, variance 2 / 38 x 255^2.
  CHECK(*values[Signal::kSharpness] == doctest::Approx(2.0 / 38 * 255 * 255));
  CHECK(values[Signal::kWidth] == 40);
  CHECK(values[Signal::kAspect] == 2);
  CHECK_FALSE(values[Signal::kBytesPerPixel].has_value());
}

TEST_CASE("one flat colour, by hand") {
  Image picture(Layout{30, 30, 3, Sample::kU8});
  for (int64_t y = 0; y < 30; ++y) {
    for (int64_t x = 0; x < 30; ++x) {
      picture.row(y)[3 * x] = 200;
      picture.row(y)[3 * x + 1] = 100;
      picture.row(y)[3 * x + 2] = 50;
    }
  }
  const SignalValues values = MeasureSignals(picture.view(), SignalSet::All());
  // 200 x 0.299 + 100 x 0.587 + 50 x 0.114 = 124.2; rg = 100, yb = 100, no spread: 0.3 x hypot(100, 100).
  CHECK(values[Signal::kBrightness] == 124.0);
  CHECK(*values[Signal::kColorfulness] == doctest::Approx(0.3 * std::hypot(100, 100)));
  CHECK(values[Signal::kGrayscale] == 0.0);
  for (const Signal none :
       {Signal::kContrast, Signal::kEntropy, Signal::kSharpness, Signal::kNoise, Signal::kBlockiness})
    CHECK(values[none] == 0.0);
}

/// Flat 8x8 blocks of random levels, the grid shifted; with a slope inside where `slope` is not 0.
Image Blocks(int64_t right, int64_t down, int slope) {
  Image picture(Layout{96, 80, 1, Sample::kU8});
  for (int64_t y = 0; y < 80; ++y) {
    for (int64_t x = 0; x < 96; ++x) {
      const int64_t block = (y + 8 - down) / 8 * 100 + (x + 8 - right) / 8;
      picture.row(y)[x] = static_cast<uint8_t>(Mix(static_cast<uint64_t>(block)) / 2 + slope * (x % 2));
    }
  }
  return picture;
}

TEST_CASE("blocks are found at every one of the 64 phases") {
  for (int64_t right = 0; right < 8; ++right) {
    for (int64_t down = 0; down < 8; ++down) {
      // Without any step inside it is capped.
      CHECK(MeasureSignals(Blocks(right, down, 0).view(), {Signal::kBlockiness})[Signal::kBlockiness] ==
            10'000);
      const double sloped =
          *MeasureSignals(Blocks(right, down, 10).view(), {Signal::kBlockiness})[Signal::kBlockiness];
      CHECK(sloped > 300);
      CHECK(sloped < 10'000);
    }
  }
}

TEST_CASE("noise is the sigma that was added, whatever the brightness") {
  // Sums of 12 uniform numbers less 6 are normal enough.
  Image picture(Layout{600, 400, 1, Sample::kU8});
  uint64_t n = 0;
  for (int64_t y = 0; y < 400; ++y) {
    for (int64_t x = 0; x < 600; ++x) {
      double normal = -6;
      for (int i = 0; i < 12; ++i) normal += (Mix(++n * 31) + 0.5) / 256;
      picture.row(y)[x] = static_cast<uint8_t>(std::lround(60 + static_cast<double>(x) / 6 + 10 * normal));
    }
  }
  CHECK(*MeasureSignals(picture.view(), {Signal::kNoise})[Signal::kNoise] ==
        doctest::Approx(10).epsilon(0.08));  // of the flattest twentieth of the blocks
}

TEST_CASE("images too small for a signal have no value for it") {
  const auto measure = [](int64_t width, int64_t height) {
    return MeasureSignals(FormulaPicture(width, height, 3, "noise", 2).view(), SignalSet::All());
  };
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{1, 1}, {2, 50}, {50, 2}, {1, 50}}) {
    const SignalValues values = measure(width, height);
    CHECK_FALSE(values[Signal::kSharpness].has_value());
    CHECK_FALSE(values[Signal::kNoise].has_value());
    CHECK_FALSE(values[Signal::kBlockiness].has_value());
    CHECK(values[Signal::kEntropy].has_value());
  }
  CHECK(measure(3, 3)[Signal::kSharpness].has_value());
  CHECK_FALSE(measure(15, 100)[Signal::kBlockiness].has_value());
  CHECK_FALSE(measure(100, 15)[Signal::kBlockiness].has_value());
  CHECK(measure(16, 16)[Signal::kBlockiness].has_value());
}

TEST_CASE("grey that conversions have rounded is still grey") {
  Image picture = FormulaPicture(50, 50, 3, "flat", 3);
  picture.row(20)[31] = static_cast<uint8_t>(picture.row(20)[31] + 2);
  CHECK(MeasureSignals(picture.view(), {Signal::kGrayscale})[Signal::kGrayscale] == 1);
  picture.row(20)[31] = static_cast<uint8_t>(picture.row(20)[31] + 1);
  CHECK(MeasureSignals(picture.view(), {Signal::kGrayscale})[Signal::kGrayscale] == 0);
}

TEST_CASE("other forms of the same pixels have the same signals") {
  const Image eight = FormulaPicture(70, 50, 3, "blocks", 9);
  const SignalValues expected = MeasureSignals(eight.view(), SignalSet::OfPixels());
  Image opaque(Layout{70, 50, 4, Sample::kU8}), sixteen(Layout{70, 50, 3, Sample::kU16}),
      real(Layout{70, 50, 4, Sample::kF32});
  for (int64_t y = 0; y < 50; ++y) {
    for (int64_t x = 0; x < 70; ++x) {
      for (int64_t band = 0; band < 3; ++band) {
        const uint8_t value = eight.row(y)[3 * x + band];
        const auto wide = static_cast<uint16_t>(value * 257);
        const float fraction = static_cast<float>(value) / 255.0F;
        opaque.row(y)[4 * x + band] = value;
        std::memcpy(sixteen.row(y) + (3 * x + band) * 2, &wide, 2);
        std::memcpy(real.row(y) + (4 * x + band) * 4, &fraction, 4);
      }
      opaque.row(y)[4 * x + 3] = 255;
      const float whole = 1;
      std::memcpy(real.row(y) + (4 * x + 3) * 4, &whole, 4);
    }
  }
  CHECK(MeasureSignals(opaque.view(), SignalSet::OfPixels()) == expected);
  CHECK(MeasureSignals(sixteen.view(), SignalSet::OfPixels()) == expected);
  SignalValues without_depth = expected;  // which floats do not have
  without_depth[Signal::kBitDepth] = std::nullopt;
  CHECK(MeasureSignals(real.view(), SignalSet::OfPixels()) == without_depth);
  CHECK(MeasureSignals(opaque.view(), {Signal::kHasAlpha})[Signal::kHasAlpha] == 1);
}

TEST_CASE("what is transparent is measured as it is seen on white") {
  const Image colours = FormulaPicture(70, 50, 3, "blocks", 9);
  Image clear(Layout{70, 50, 4, Sample::kU8}), wide(Layout{70, 50, 4, Sample::kU16}),
      seen(Layout{70, 50, 3, Sample::kU8});
  for (int64_t y = 0; y < 50; ++y) {
    for (int64_t x = 0; x < 70; ++x) {
      const auto alpha = static_cast<uint8_t>(3 * x);
      for (int64_t band = 0; band < 4; ++band) {
        const uint8_t value = band == 3 ? alpha : colours.row(y)[3 * x + band];
        const auto sixteen = static_cast<uint16_t>(value * 257);
        clear.row(y)[4 * x + band] = value;
        std::memcpy(wide.row(y) + (4 * x + band) * 2, &sixteen, 2);
        // The definition of "over", with a white page.
        if (band < 3)
          seen.row(y)[3 * x + band] =
              static_cast<uint8_t>(std::lround(255 - (255 - value) * (alpha / 255.0)));
      }
    }
  }
  const SignalValues expected = MeasureSignals(seen.view(), SignalSet::OfPixels());
  CHECK(MeasureSignals(clear.view(), SignalSet::OfPixels()) == expected);
  CHECK(MeasureSignals(wide.view(), SignalSet::OfPixels()) == expected);
}

// Noise and saturation are of blocks, laid from the top left; colorfulness looks along rows for its noise.
TEST_CASE("turned and mirrored pixels have the very same signals, those of blocks nearly the same") {
  const Image upright = FormulaPicture(61, 83, 3, "blocks", 3);
  const SignalValues expected = MeasureSignals(upright.view(), SignalSet::OfPixels());
  for (int turn = 1; turn < 8; ++turn) {
    const bool transpose = turn >= 4;
    Image turned(transpose ? Layout{83, 61, 3, Sample::kU8} : upright.layout());
    for (int64_t y = 0; y < turned.layout().height; ++y) {
      for (int64_t x = 0; x < turned.layout().width; ++x) {
        int64_t from_x = transpose ? y : x;
        int64_t from_y = transpose ? x : y;
        if ((turn & 1) != 0) from_x = 60 - from_x;
        if ((turn & 2) != 0) from_y = 82 - from_y;
        std::memcpy(turned.row(y) + 3 * x, upright.row(from_y) + 3 * from_x, 3);
      }
    }
    SignalValues values = MeasureSignals(turned.view(), SignalSet::OfPixels());
    for (const Signal signal : {Signal::kNoise, Signal::kSaturation, Signal::kColorfulness}) {
      CHECK(*values[signal] == doctest::Approx(*expected[signal]).epsilon(0.05));
      values[signal] = expected[signal];
    }
    CHECK(values == expected);
  }
}

// Each of these files was compressed anew after its pixels were turned (the arithmetic above is exact): what
// hangs on fine detail differs by some percent.
TEST_CASE(
    "the pictures of an EXIF orientation set have equal signals, to the rounding of their compression") {
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return;
  }
  InitImageLibraries();
  for (const std::string name : {"Landscape", "Portrait"}) {
    std::optional<SignalValues> first;
    for (int orientation = 1; orientation <= 8; ++orientation) {
      const std::string path = std::string(assets) + "/odd/recurser+exif-orientation-examples/" + name + "_" +
                               std::to_string(orientation) + ".jpg";
      const auto image = ReadAll(path, ReadOptions{});
      REQUIRE(image.ok());
      const SignalValues values = MeasureSignals(image->view(), SignalSet::All());
      if (!first) first = values;
      CAPTURE(path);
      for (const SignalInfo& info : AllSignals()) {
        CAPTURE(info.name);
        REQUIRE(values[info.signal].has_value() == (*first)[info.signal].has_value());
        const bool detail = info.signal == Signal::kSharpness || info.signal == Signal::kNoise ||
                            info.signal == Signal::kBlockiness || info.signal == Signal::kBytesPerPixel ||
                            info.signal == Signal::kJpegVisible || info.signal == Signal::kBlur ||
                            info.signal == Signal::kSpatialInformation;
        // Shares of few pixels, and what is looked for along rows or down columns only.
        const bool other = info.signal == Signal::kClippedDark || info.signal == Signal::kClippedBright ||
                           info.signal == Signal::kDarkEnd || info.signal == Signal::kBrightEnd ||
                           info.signal == Signal::kInterlacing || info.signal == Signal::kUpscaled ||
                           info.signal == Signal::kTextShare;
        if (values[info.signal] && !other)
          CHECK(*values[info.signal] ==
                doctest::Approx(*(*first)[info.signal]).epsilon(detail ? 0.1 : 0.005));
      }
    }
  }
}

TEST_CASE("a meter takes no more from the pool than it says, and far less than the picture") {
  for (const Layout layout :
       {Layout{4000, 300, 3, Sample::kU8}, Layout{4000, 300, 4, Sample::kU16}, Layout{5, 9, 1}}) {
    Image picture(layout);
    std::memset(picture.row(0), 99, layout.row_bytes() * static_cast<size_t>(layout.height));
    HostPool().ResetPeak();
    const size_t before = HostPool().Stats().live;
    CHECK(MeasureSignals(picture.view(), SignalSet::All())[Signal::kContrast] == 0.0);
    CHECK(HostPool().Stats().peak_live - before <= SignalMeter::PooledBytes(layout) + 256);
  }
}

}  // namespace
}  // namespace imgmill
