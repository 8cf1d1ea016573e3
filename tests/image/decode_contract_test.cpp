// Every file gives upright sRGB rows or an Error that says why; expected pixels come from Pillow, from
// libvips' own tools or from arithmetic.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

std::string Exif(const std::string& name) {
  return "odd/recurser+exif-orientation-examples/" + name;
}

double MeanDifference(const Image& a, const Image& b) {
  double sum = 0;
  const size_t bytes = a.layout().row_bytes();
  for (int64_t y = 0; y < a.layout().height; ++y) {
    for (size_t i = 0; i < bytes; ++i) sum += std::abs(int{a.row(y)[i]} - int{b.row(y)[i]});
  }
  return sum / static_cast<double>(bytes * static_cast<size_t>(a.layout().height));
}

}  // namespace

TEST_CASE("all eight EXIF orientations of a picture look alike") {
  if (!HaveAssets()) return;
  for (const std::string kind : {"Landscape_", "Portrait_"}) {
    const Image first = ReadAll(Asset(Exif(kind + "1.jpg")), {});
    for (int orientation = 1; orientation <= 8; ++orientation) {
      const std::string path = Asset(Exif(kind + std::to_string(orientation) + ".jpg"));
      CAPTURE(path);
      CHECK(Probe(path, {}).value().orientation == orientation);
      for (const size_t in_memory : {size_t{64} << 20, size_t{0}}) {  // the latter: by a temporary file
        ReadOptions options;
        options.whole_image_bytes = in_memory;
        const Image turned = ReadAll(path, options);
        REQUIRE(turned.layout() == first.layout());
        // Other MCU borders after rotation: not equal, but close. A wrong turn differs by ten times as much.
        CHECK(MeanDifference(first, turned) < 5);
      }
      ReadOptions small;
      small.shrink_to_side = 100;
      small.bands = ReadOptions::Bands::kGrey;
      CHECK(ReadAll(path, small).layout().width == (first.layout().width + 7) / 8);
    }
  }
}

TEST_CASE("a turned picture is the same out of memory and out of a file, in whatever steps it is read") {
  if (!HaveAssets()) return;
  for (int orientation = 3; orientation <= 8; ++orientation) {
    const std::string path = Asset(Exif("Landscape_" + std::to_string(orientation) + ".jpg"));
    CAPTURE(path);
    const Image expected = ReadAll(path, {});
    ReadOptions by_file;
    by_file.whole_image_bytes = 0;
    for (const int64_t step : {1, 7, 16, 32, 100}) {
      CAPTURE(step);
      const ImageHeader header = Probe(path, {}).value();
      const std::unique_ptr<RowReader> rows = OpenRows(path, header, by_file).value();
      Image found(rows->layout());
      REQUIRE(found.layout() == expected.layout());
      bool same = true;
      for (int64_t y = 0; y < found.layout().height; y += step) {
        const int64_t now = std::min(step, found.layout().height - y);
        REQUIRE(rows->Read(now, found.row(y), found.layout().row_bytes()));
        same = same && std::memcmp(found.row(y), expected.row(y),
                                   static_cast<size_t>(now) * found.layout().row_bytes()) == 0;
      }
      CHECK(same);
    }
  }
}

TEST_CASE("every file of the collections is read or refused for a reason, in time, whatever it holds") {
  if (!HaveAssets()) return;
  size_t read = 0;
  size_t refused = 0;
  for (const std::string& path : AssetFiles({"odd", "photos"})) {
    CAPTURE(path);
    for (const bool lenient : {false, true}) {
      TimeGuard guard(path, 20);
      Result<ImageHeader> header = Probe(path, {});
      if (!header) {
        CHECK(!header.error().message.empty());
        CHECK(header.error().stage == Stage::kProbe);
        ++refused;
        continue;
      }
      ReadOptions options;
      options.allow_truncated = lenient;
      Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, options);
      Status status = rows ? Drain(**rows) : Status(rows.error());
      if (rows) CHECK((*rows)->layout() == ReadLayout(*header, options));
      if (!status) {
        CHECK(!status.error().message.empty());
        CHECK(status.error().code != Code::kInternal);
        ++refused;
      } else {
        ++read;
      }
      if (std::getenv("IMGMILL_TEST_VERBOSE") != nullptr) {
        MESSAGE(path << ": " << (status ? "read" : Describe("", status.error())));
      }
    }
  }
  MESSAGE(read << " readings, " << refused << " refusals");
  CHECK(read > 350);
}
