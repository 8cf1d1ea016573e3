// Which tiles of a file that was cut short have pixels of its image, by hand.
#include "commands/tile/read_part.h"

#include <doctest/doctest.h>

#include "image/readable_part.h"

namespace imgmill {
namespace {

/// An image of 100 columns and 320 rows as stored.
ImageHeader Stored(int orientation) {
  ImageHeader header;
  header.width = 100;
  header.height = 320;
  header.orientation = orientation;
  return header;
}

ReadPart PartOf(const ImageHeader& header, int scale = 1, bool lower = false) {
  ReadPart part;
  part.Add({"first of 2 images", PartNote(208, 320, "grey", "the data ends", lower)}, header, scale);
  return part;
}

}  // namespace

TEST_CASE("a tile has all, some or none of the rows that could be read") {
  const ReadPart part = PartOf(Stored(1));
  CHECK_FALSE(part.whole());
  CHECK(part.note() == "208 of 320 rows could be read; the rest is grey: the data ends");
  CHECK(part.HasAllOf({0, 144}, 64));  // rows 144 to 207
  CHECK_FALSE(part.HasAllOf({0, 145}, 64));
  CHECK_FALSE(part.HasNoneOf({0, 207}, 64));
  CHECK(part.HasNoneOf({0, 208}, 64));
}

TEST_CASE("the lower rows of an image are those that reach its end, and tiles may reach beyond it") {
  const ReadPart part = PartOf(Stored(1), 1, /*lower=*/true);  // rows 112 to 319
  CHECK(part.HasNoneOf({0, 48}, 64));
  CHECK_FALSE(part.HasNoneOf({0, 49}, 64));
  CHECK(part.HasAllOf({0, 112}, 64));
  CHECK(part.HasAllOf({0, 300}, 64));
}

TEST_CASE("rows as stored are rows from below, or columns, of an image that is turned") {
  // EXIF: the first row as stored is at the top (1, 2), the bottom (3, 4), the left (5, 8), the right (6, 7).
  for (const int turned : {1, 2, 3, 4, 5, 6, 7, 8}) {
    CAPTURE(turned);
    const ReadPart part = PartOf(Stored(turned));
    const bool columns = turned >= 5;
    const auto none = [&](int64_t at) {
      return part.HasNoneOf(columns ? TilePlace{at, 0} : TilePlace{0, at}, 50);
    };
    const bool from_end = turned == 3 || turned == 4 || turned == 6 || turned == 7;
    CHECK(none(0) == from_end);  // the last 208 of 320 begin at 112
    CHECK(none(270) == !from_end);
  }
}

TEST_CASE("what is missing of a partner is counted in the image's pixels, and both count") {
  ReadPart part = PartOf(Stored(1), 4);  // rows 0 to 831 of 1280
  CHECK(part.HasAllOf({0, 768}, 64));
  CHECK(part.HasNoneOf({0, 832}, 64));
  part.Add({PartNote(100, 1280, "black", "why")}, Stored(1), 1);
  CHECK(part.HasAllOf({0, 36}, 64));
  CHECK(part.HasNoneOf({0, 100}, 64));
}

TEST_CASE("where it is not known what is missing, no tile is left out, and none is whole") {
  ReadPart part;
  part.Add({"frame 3: damaged; the readable part is kept"}, Stored(1), 1);
  CHECK_FALSE(part.whole());
  CHECK_FALSE(part.HasNoneOf({0, 300}, 64));
  CHECK_FALSE(part.HasAllOf({0, 0}, 64));
}

TEST_CASE("a part is packed and unpacked as it is, and the whole is nothing to tell of") {
  ReadPart none;
  none.Add({"first of 2 images"}, Stored(1), 1);
  CHECK(none.whole());
  CHECK(none.HasAllOf({0, 300}, 64));
  const ReadPart part = PartOf(Stored(6));
  const std::optional<ReadPart> again = ReadPart::Unpack(part.Pack());
  REQUIRE(again.has_value());
  CHECK(again->Pack() == part.Pack());
  CHECK(again->note() == part.note());
  CHECK_FALSE(ReadPart::Unpack("short").has_value());
}

}  // namespace imgmill
