// Files that end early, read as far as they go: rows that are there, then one colour, wherever the reader is
// asked to stop in between.
#include <doctest/doctest.h>

#include <cstring>

#include "image/readable_part.h"
#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

ReadOptions Lenient() {
  ReadOptions options;
  options.allow_truncated = true;
  return options;
}

bool IsOneColour(const Image& image, int64_t from) {
  const size_t pixel = image.layout().row_bytes() / static_cast<size_t>(image.layout().width);
  for (int64_t y = from; y < image.layout().height; ++y) {
    for (size_t at = 0; at < image.layout().row_bytes(); at += pixel) {
      if (std::memcmp(image.row(y) + at, image.row(from), pixel) != 0) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("a PNG or JPEG that ends early has its rows, and then one colour, however it is read") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  for (const std::string name : {"photos/scikit-image/coffee.png", "photos/bsds500-val/101085.jpg"}) {
    const std::string bytes = ReadFile(Asset(name));
    const Image whole = ReadAll(Asset(name), {});
    for (const size_t tenths : {2, 5, 8}) {
      CAPTURE(name);
      CAPTURE(tenths);
      WriteFile(folder / "cut", bytes.substr(0, bytes.size() * tenths / 10));
      const ImageHeader header = Probe(folder / "cut", {}).value();
      for (const int64_t step : {1, 7, 16, 64, 1000}) {
        CAPTURE(step);
        const std::unique_ptr<RowReader> rows = OpenRows(folder / "cut", header, Lenient()).value();
        const Image kept = TakeAll(*rows, step);
        const std::optional<RowSpan> read = RowsRead(rows->notes());
        REQUIRE(read);
        CHECK(read->begin == 0);
        CHECK(read->end > 0);
        CHECK(read->end < header.height);
        // Of a JPEG, the block row in which it ends is there in part, and mixes with its neighbours.
        const bool jpeg = header.format == ImageFormat::kJpeg;
        const int64_t margin = jpeg ? 16 + 1 : 0;
        const size_t same = whole.layout().row_bytes() * static_cast<size_t>(read->end - (jpeg ? 1 : 0));
        CHECK(std::memcmp(whole.row(0), kept.row(0), same) == 0);
        CHECK(IsOneColour(kept, read->end + margin));
      }
    }
  }
}

TEST_CASE("a file of which no row can be read is an error on request, too") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  for (const std::string name : {"odd/pillow/test-card-lossy-tiled.jp2", "photos/scikit-image/coffee.png",
                                 "photos/bsds500-val/101085.jpg"}) {
    CAPTURE(name);
    const std::string bytes = ReadFile(Asset(name));
    // Of the JPEG 2000 file less than a tile, of the others their header and a few bytes.
    const size_t left = name.ends_with("jp2")   ? bytes.size() * 55 / 100
                        : name.ends_with("jpg") ? bytes.find("\xFF\xDA") + 20
                                                : bytes.find("IDAT") + 20;
    WriteFile(folder / "cut", bytes.substr(0, left));
    const ImageHeader header = Probe(folder / "cut", {}).value();
    Result<std::unique_ptr<RowReader>> rows = OpenRows(folder / "cut", header, Lenient());
    if (rows) {
      const Status read = Drain(**rows);
      REQUIRE(!read);
      CHECK((read.error().code == Code::kTruncated || read.error().code == Code::kMalformed));
    }
  }
}

TEST_CASE("what a note says of rows can be found in it") {
  const std::string upper = PartNote(112, 321, "grey", "JPEG data ends at row 112 of 321");
  CHECK(upper == "112 of 321 rows could be read; the rest is grey: JPEG data ends at row 112 of 321");
  CHECK(IsPartNote(upper));
  CHECK(RowsRead({"decoded at 1/8", upper})->end == 112);
  const std::string lower = PartNote(5, 11, "black", "it ends", /*lower=*/true);
  CHECK(lower == "the lower 5 of 11 rows could be read; the rest is black: it ends");
  CHECK(RowsRead({lower})->begin == 6);
  CHECK(RowsRead({lower})->end == 11);
  CHECK_FALSE(IsPartNote("first of 3 frames"));
  CHECK_FALSE(RowsRead({"image data ends; the readable part is kept"}));
}
