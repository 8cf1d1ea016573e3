// Classical kernels against Pillow's, and against arithmetic where Pillow has none.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "image_test.h"
#include "imgmill/image/reduced_rows.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

// The picture that the expected values below were made from.
int Sample12x10(int64_t x, int64_t y) {
  return static_cast<int>((x * 37 + y * 91 + x * y * 11) % 256);
}

std::string WriteGrey(const TemporaryFolder& folder, const Image& image) {
  const std::string path = folder / "source.png";
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, image.layout(), {}, {});
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
  return path;
}

Image Resized(const std::string& path, double scale, const std::string& kernel) {
  Result<std::unique_ptr<RowReader>> rows = OpenResizedRows(path, Probe(path, {}).value(), {}, scale, kernel);
  if (!rows) FAIL(rows.error().message);
  return TakeAll(**rows, 3);
}

}  // namespace

TEST_CASE("lanczos3, cubic and linear equal Pillow's, enlarging and shrinking") {
  const TemporaryFolder folder;
  Image image({12, 10, 1, Sample::kU8});
  for (int64_t y = 0; y < 10; ++y) {
    for (int64_t x = 0; x < 12; ++x) image.row(y)[x] = static_cast<uint8_t>(Sample12x10(x, y));
  }
  const std::string path = WriteGrey(folder, image);
  struct Expected {
    const char* kernel;
    double scale;
    double values[4];  // first and last pixel, and those at (w/2, h/3) and (w/3, h/2)
  };
  // Pillow 13.0.0, mode "F", Image.resize with LANCZOS, BICUBIC and BILINEAR.
  const Expected cases[] = {{"lanczos3", 2.5, {-14.318, -5.144, 159.213, 142.430}},
                            {"lanczos3", 0.5, {86.863, 110.121, 132.687, 101.248}},
                            {"cubic", 2.5, {-12.571, -5.137, 158.697, 132.486}},
                            {"cubic", 0.5, {85.122, 108.403, 135.089, 103.273}},
                            {"linear", 2.5, {0.000, 11.000, 152.310, 127.950}},
                            {"linear", 0.5, {91.816, 112.857, 134.750, 110.750}}};
  for (const Expected& expected : cases) {
    CAPTURE(std::string(expected.kernel));
    const Image result = Resized(path, expected.scale, expected.kernel);
    const int64_t w = result.layout().width;
    const int64_t h = result.layout().height;
    REQUIRE(w == std::llround(12 * expected.scale));
    REQUIRE(h == std::llround(10 * expected.scale));
    const int64_t points[4][2] = {{0, 0}, {w - 1, h - 1}, {w / 2, h / 3}, {w / 3, h / 2}};
    for (int i = 0; i < 4; ++i) {
      const double value = std::clamp(expected.values[i], 0.0, 255.0);
      CHECK(std::abs(result.row(points[i][1])[points[i][0]] - value) <= 0.51);
    }
  }
  const Image nearest = Resized(path, 3, "nearest");
  for (int64_t y = 0; y < 30; ++y) {
    for (int64_t x = 0; x < 36; ++x) REQUIRE(nearest.row(y)[x] == image.row(y / 3)[x / 3]);
  }
}

TEST_CASE("a flat picture stays flat under every kernel, and transparent pixels lend no colour") {
  const TemporaryFolder folder;
  Image image({20, 20, 4, Sample::kU16});
  for (int64_t y = 0; y < 20; ++y) {
    auto* row = reinterpret_cast<uint16_t*>(image.row(y));
    for (int64_t x = 0; x < 20; ++x, row += 4) {
      const bool visible = x < 10;
      row[0] = visible ? 40000 : 65535;  // what lies under transparency is another colour
      row[1] = visible ? 20000 : 0;
      row[2] = visible ? 10000 : 65535;
      row[3] = visible ? 65535 : 0;
    }
  }
  const std::string path = WriteGrey(folder, image);
  for (const std::string kernel : {"linear", "cubic", "mitchell", "lanczos2", "lanczos3"}) {
    for (const double scale : {0.3, 1.0, 1.7, 4.0}) {
      CAPTURE(kernel);
      const Image result = Resized(path, scale, kernel);
      CHECK(result.layout().sample == Sample::kU16);
      const auto* row = reinterpret_cast<const uint16_t*>(result.row(result.layout().height / 2));
      for (int64_t x = 0; x < result.layout().width; ++x, row += 4) {
        if (row[3] < 2000) continue;  // too faint for its colour to be exact
        CHECK(std::abs(row[0] - 40000) < 60);
        CHECK(std::abs(row[1] - 20000) < 60);
      }
    }
  }
  const ImageHeader header = Probe(path, {}).value();
  CHECK(OpenResizedRows(path, header, {}, 2, "lancsoz").error().code == Code::kUsage);
  CHECK(OpenResizedRows(path, header, {}, 0, "linear").error().code == Code::kUsage);
}

TEST_CASE("a reduction by whole pixels is that of the image cropped to a multiple") {
  const TemporaryFolder folder;
  const auto draw = [](int64_t width, int64_t height) {
    Image image({width, height, 1, Sample::kU8});
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) image.row(y)[x] = static_cast<uint8_t>(Sample12x10(x, y));
    }
    return image;
  };
  for (const int divisor : {2, 3, 4}) {
    CAPTURE(divisor);
    const std::string cropped = WriteGrey(folder, draw(24, 12));
    const Image expected = Resized(cropped, 1.0 / divisor, "cubic");
    const std::string odd = WriteGrey(folder, draw(24 + divisor - 1, 12 + 1));
    const Image found = TakeAll(**OpenReducedRows(odd, Probe(odd, {}).value(), {}, divisor, "cubic"), 3);
    REQUIRE(found.layout() == expected.layout());
    for (int64_t y = 0; y < expected.layout().height; ++y)
      CHECK(std::equal(expected.row(y), expected.row(y) + expected.layout().row_bytes(), found.row(y)));
  }
  CHECK(ReducedSide(1023, 4) == 255);
  CHECK(ReducedSide(3, 4) == 1);
}
