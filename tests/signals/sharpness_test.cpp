// Sharpness against a plain loop, and against OpenCV in Python.
#include <doctest/doctest.h>

#include <cstdlib>

#include "imgmill/image/reader.h"
#include "imgmill/signals/signal_set.h"
#include "signals/formula_picture.h"
#include "signals/golden_csv.h"
#include "signals/luma.h"

namespace imgmill {
namespace {

// The definition, pixel by pixel. Two passes, since with doubles the one-pass formula would cancel.
double PlainSharpness(const Image& image) {
  const Layout& layout = image.layout();
  const auto luma = [&](int64_t x, int64_t y) {
    const uint8_t* p = image.row(y) + x * layout.bands;
    return static_cast<int>(layout.bands == 1 ? p[0] : Luma(p[0], p[1], p[2]));
  };
  std::vector<double> values;
  for (int64_t y = 1; y + 1 < layout.height; ++y) {
    for (int64_t x = 1; x + 1 < layout.width; ++x) {
      values.push_back(luma(x - 1, y) + luma(x + 1, y) + luma(x, y - 1) + luma(x, y + 1) - 4 * luma(x, y));
    }
  }
  if (values.empty()) return 0;
  double mean = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  double variance = 0;
  for (const double v : values) variance += (v - mean) * (v - mean) / static_cast<double>(values.size());
  return variance;
}

double Sharpness(const ImageView& image) {
  return MeasureSignals(image, {Signal::kSharpness})[Signal::kSharpness].value_or(0);
}

TEST_CASE("sharpness is the plain loop's, at every size around the strip's") {
  for (const int bands : {1, 3}) {
    for (const int64_t width : {1, 2, 3, 50}) {
      for (const int64_t height : {1, 2, 3, 4, 33, 34, 35, 36, 66, 67, 200}) {
        const Image picture = FormulaPicture(width, height, bands, "noise", 3);
        CAPTURE(width);
        CAPTURE(height);
        CHECK(Sharpness(picture.view()) == doctest::Approx(PlainSharpness(picture)).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("a flat picture has sharpness 0, a checkerboard 1020 squared") {
  CHECK(Sharpness(FormulaPicture(50, 60, 3, "flat", 3).view()) == 0.0);
  // By hand: every pixel of a black and white board differs by 255 from its four neighbours: +-1020, mean 0.
  Image board(Layout{10, 10, 1, Sample::kU8});
  for (int64_t y = 0; y < 10; ++y) {
    for (int64_t x = 0; x < 10; ++x) board.row(y)[x] = (x + y) % 2 == 0 ? 0 : 255;
  }
  CHECK(Sharpness(board.view()) == 1020.0 * 1020.0);
}

TEST_CASE("sharpness of photos is what OpenCV in Python says") {
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return;
  }
  InitImageLibraries();
  const auto rows = ReadGolden("opencv_sharpness.csv");
  REQUIRE(rows.size() == 10);
  for (const auto& row : rows) {
    const std::string path = std::string(assets) + "/photos/" + row[0];
    const auto header = Probe(path, ImageLimits{});
    REQUIRE(header.ok());
    const auto reader = OpenRows(path, *header, ReadOptions{});
    REQUIRE(reader.ok());
    Image image((*reader)->layout());
    REQUIRE((*reader)->Read(image.layout().height, image.row(0), image.layout().row_bytes()).ok());
    CAPTURE(row[0]);
    CHECK(Sharpness(image.view()) == doctest::Approx(std::stod(row[1])).epsilon(1e-9));
  }
}

}  // namespace
}  // namespace imgmill
