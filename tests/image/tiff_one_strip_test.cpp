// TIFF files of one strip with all rows, written here byte by byte: every pixel is the formula's, the last
// row too, in both byte orders, classic and BigTIFF, 8 and 16 bits; and memory does not hold the strip.
#include <doctest/doctest.h>
#include <malloc.h>

#include <fstream>

#include "image_test.h"
#include "imgmill/memory/system_memory.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

struct Kind {
  bool big = false;
  bool big_endian = false;
  int bits = 8;
  int samples = 3;
};

uint64_t Expected(int64_t x, int64_t y, int band, int bits) {
  return static_cast<uint64_t>(x * 7 + y * 13 + band * 101 + (x * y) % 251) & (bits == 8 ? 0xFF : 0xFFFF);
}

class TiffFile {
 public:
  TiffFile(const std::string& path, const Kind& kind) : file_(path, std::ios::binary), kind_(kind) {}

  /// The header and two bytes.
  void WriteClaim(int64_t width, int64_t height) {
    WriteHeader(width, height);
    file_ << "ab" << std::flush;
  }

  void Write(int64_t width, int64_t height, int64_t missing_bytes = 0) {
    WriteHeader(width, height);
    std::string pixels;
    for (int64_t y = 0; y < height; ++y) {
      pixels.clear();
      for (int64_t x = 0; x < width; ++x) {
        for (int band = 0; band < kind_.samples; ++band)
          Put(pixels, Expected(x, y, band, kind_.bits), kind_.bits / 8);
      }
      if (y + 1 == height) pixels.resize(pixels.size() - static_cast<size_t>(missing_bytes));
      file_ << pixels;
    }
  }

 private:
  void WriteHeader(int64_t width, int64_t height) {
    const size_t word = kind_.big ? 8 : 4;
    // Header, directory and the depths first, the strip last: so nothing is known of what lies behind it.
    const int entries = 10;
    const uint64_t directory = kind_.big ? 16 : 8;
    const uint64_t depths = directory + (kind_.big ? 8 : 2) + entries * (4 + 2 * word) + word;
    const uint64_t strip = depths + 16;
    const uint64_t row = static_cast<uint64_t>(width) * static_cast<uint64_t>(kind_.samples * kind_.bits / 8);
    file_ << (kind_.big_endian ? "MM" : "II");
    Number(kind_.big ? 43 : 42, 2);
    if (kind_.big) Number(8, 2), Number(0, 2);
    Number(directory, word);
    Number(entries, kind_.big ? 8 : 2);
    Entry(256, 1, static_cast<uint64_t>(width));
    Entry(257, 1, static_cast<uint64_t>(height));
    const bool inside = 2 * static_cast<size_t>(kind_.samples) <= word;
    Number(258, 2), Number(3, 2), Number(static_cast<uint64_t>(kind_.samples), word);
    if (inside) {
      for (size_t i = 0; i < word / 2; ++i) Number(static_cast<int>(i) < kind_.samples ? kind_.bits : 0, 2);
    } else {
      Number(depths, word);
    }
    Entry(259, 1, 1);
    Entry(262, 1, kind_.samples == 1 ? 1 : 2);
    Entry(273, 1, strip);
    Entry(277, 1, static_cast<uint64_t>(kind_.samples));
    Entry(278, 1, static_cast<uint64_t>(height));
    Entry(279, 1, row * static_cast<uint64_t>(height));
    Entry(284, 1, 1);
    Number(0, word);
    for (int i = 0; i < 8; ++i) Number(kind_.bits, 2);
  }

  void Put(std::string& to, uint64_t value, int bytes) const {
    for (int i = 0; i < bytes; ++i) {
      to += static_cast<char>(value >> (8 * (kind_.big_endian ? bytes - 1 - i : i)));
    }
  }
  void Number(uint64_t value, size_t bytes) {
    std::string text;
    Put(text, value, static_cast<int>(bytes));
    file_ << text;
  }
  void Entry(uint64_t tag, uint64_t count, uint64_t value) {
    Number(tag, 2), Number(kind_.big ? 16 : 4, 2), Number(count, kind_.big ? 8 : 4),
        Number(value, kind_.big ? 8 : 4);
  }

  std::ofstream file_;
  Kind kind_;
};

}  // namespace

TEST_CASE("a TIFF of one uncompressed strip gives every pixel, whatever its byte order and depth") {
  const TemporaryFolder folder;
  constexpr int64_t kWidth = 1501;
  constexpr int64_t kHeight = 1203;
  for (const Kind kind : {Kind{false, false, 8, 3}, Kind{false, true, 16, 3}, Kind{true, false, 16, 1},
                          Kind{true, true, 8, 3}, Kind{false, false, 16, 4}}) {
    CAPTURE(kind.big);
    CAPTURE(kind.big_endian);
    CAPTURE(kind.bits);
    CAPTURE(kind.samples);
    const std::string path = folder / "one.tif";
    const int64_t height = kind.samples == 1 ? 2 * kHeight : kHeight;
    TiffFile(path, kind).Write(kWidth, height);
    const ImageHeader header = Probe(path, {}).value();
    CHECK(header.height == height);
    CHECK(header.block_rows <= 128);  // not all rows at once
    const Image image = ReadAll(path, {});
    int64_t wrong = 0;
    for (int64_t y = 0; y < height; ++y) {
      const uint8_t* row = image.row(y);
      for (int64_t x = 0; x < kWidth; ++x) {
        for (int band = 0; band < kind.samples; ++band) {
          const auto at = static_cast<size_t>(x * kind.samples + band);
          const uint64_t found = kind.bits == 8 ? row[at] : reinterpret_cast<const uint16_t*>(row)[at];
          if (found != Expected(x, y, band, kind.bits)) ++wrong;
        }
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE(
    "a TIFF of one strip that ends early is refused, and its readable part kept where that is allowed") {
  const TemporaryFolder folder;
  const std::string path = folder / "short.tif";
  TiffFile(path, {}).Write(1501, 1203, 1000);
  const ImageHeader header = Probe(path, {}).value();
  Result<std::unique_ptr<RowReader>> strict = OpenRows(path, header, {});
  REQUIRE_FALSE(strict.ok());
  CHECK(strict.error().code == Code::kTruncated);
  ReadOptions options;
  options.allow_truncated = true;
  const Image image = ReadAll(path, options);
  CHECK(image.row(600)[3 * 700 + 1] == Expected(700, 600, 1, 8));
}

TEST_CASE("a strip of 72 MiB is not held") {
  const TemporaryFolder folder;
  TimeGuard guard("one large strip", 120);
  const std::string path = folder / "large.tif";
  TiffFile(path, {}).Write(6000, 4200);
  const ImageHeader header = Probe(path, {}).value();
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, header, {});
  REQUIRE(rows.ok());
  const MemoryGrowth growth;
  REQUIRE(Drain(**rows).ok());
  const size_t grown = growth.Bytes();
  MESSAGE("grew by " << (grown >> 10) << " KiB");
  CHECK(grown < (size_t{36} << 20));  // 4 were measured
}

TEST_CASE("a TIFF that claims much is refused by its header: no memory, no time") {
  const TemporaryFolder folder;
  const std::string path = folder / "claims.tif";
  struct Claim {
    int64_t width;
    int64_t height;
    bool by_limit;  // a billion pixels are within it, sides of more than libvips' 10,000,000 are not read
  };
  for (const Claim claim : {Claim{INT32_MAX, INT32_MAX, true}, Claim{262144, int64_t{1} << 27, true},
                            Claim{1, int64_t{1} << 30, false}}) {
    CAPTURE(claim.width);
    TiffFile(path, {false, false, 8, 1}).WriteClaim(claim.width, claim.height);
    TimeGuard guard("a claim", 5);
    const MemoryGrowth growth;
    const Result<ImageHeader> header = Probe(path, {});
    REQUIRE(!header.ok());
    CHECK(header.error().code == (claim.by_limit ? Code::kLimitExceeded : Code::kUnsupported));
    CHECK(growth.Bytes() < size_t{16} << 20);  // a number for each row that is claimed would be a GiB
  }
  // Within all limits, but more than the file has: refused when it is opened, or read as black.
  TiffFile(path, {false, false, 8, 1}).WriteClaim(4000, 3000);
  const ImageHeader header = Probe(path, {}).value();
  const Result<std::unique_ptr<RowReader>> rows = OpenRows(path, header, {});
  REQUIRE(!rows.ok());
  CHECK(rows.error().code == Code::kTruncated);
}

TEST_CASE("a tile that is larger than its picture is part of what reading needs, and within the limit") {
  const ImageHeader header =
      Probe(IMGMILL_SOURCE_DIR "/tests/corpus/files/tiff/tile_beyond_picture.tif", {}).value();
  CHECK(header.upright_width() == 8);
  CHECK(ReadFootprint(header, {}).total() > 1024 * 1024 * 3);  // a tile of 1024x1024 in RGB

  ImageLimits small;
  small.max_pixels = 1 << 19;
  const Result<ImageHeader> refused =
      Probe(IMGMILL_SOURCE_DIR "/tests/corpus/files/tiff/tile_beyond_picture.tif", small);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kLimitExceeded);
  CHECK(refused.error().message.find("a tile of 1024 x 1024 pixels") != std::string::npos);
}
