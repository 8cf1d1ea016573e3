// BMP, TGA, ICO and QOI beyond tests/corpus: what is kept of cut files, and that limits come before memory.
#include <doctest/doctest.h>

#include <cstring>

#include "image_test.h"
#include "imgmill/memory/system_memory.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

const std::string kFiles = IMGMILL_SOURCE_DIR "/tests/corpus/files/stills/";

std::string Little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// The header of a BMP of 24 bits, and no pixel.
std::string BmpHeader(uint32_t width, uint32_t height) {
  return "BM" + Little(54, 4) + Little(0, 4) + Little(54, 4) + Little(40, 4) + Little(width, 4) +
         Little(height, 4) + Little(1, 2) + Little(24, 2) + std::string(24, '\0');
}

/// The header of a TGA of 24 bits, of type 2 (raw) or 10 (runs), and no pixel.
std::string TgaHeader(int type, uint32_t side) {
  return Little(0, 2) + Little(static_cast<uint64_t>(type), 1) + std::string(9, '\0') + Little(side, 2) +
         Little(side, 2) + Little(24, 1) + Little(0x20, 1);
}

}  // namespace

TEST_CASE(
    "of a file that ends early, the pixels that are there are kept on request, and the rest is filled up") {
  const TemporaryFolder folder;
  ReadOptions lenient;
  lenient.allow_truncated = true;
  for (const std::string name :
       {"24_top_down.bmp", "rle8_absolute.bmp", "24_top_left.tga", "rle_across_rows.tga", "3.qoi", "4.qoi"}) {
    const Image whole = ReadAll(kFiles + name, {});
    const std::string bytes = ReadFile(kFiles + name);
    const size_t pixel = whole.layout().row_bytes() / static_cast<size_t>(whole.layout().width);
    const size_t data = name == "rle8_absolute.bmp" ? bytes.size() - 54 - 1024 : bytes.size() - 54;
    for (const size_t kept : {bytes.size() - data / 10, bytes.size() - data / 4}) {
      CAPTURE(name);
      CAPTURE(kept);
      WriteFile(folder / name, bytes.substr(0, kept));
      const ImageHeader header = Probe(folder / name, {}).value();
      const Result<std::unique_ptr<RowReader>> strict = OpenRows(folder / name, header, {});
      REQUIRE(!strict);
      CHECK(strict.error().code == Code::kTruncated);
      const std::unique_ptr<RowReader> rows = OpenRows(folder / name, header, lenient).value();
      REQUIRE(rows->notes().size() == 1);
      CHECK(rows->notes()[0].find("the readable part is kept") != std::string::npos);
      const Image image = TakeAll(*rows);
      REQUIRE(image.layout() == whole.layout());
      // Bitmaps with runs have the bottom row first.
      const bool upwards = name == "rle8_absolute.bmp";
      int64_t same = 0;
      bool ended = false;
      for (int64_t i = 0; i < image.layout().width * image.layout().height; ++i) {
        const int64_t y =
            upwards ? image.layout().height - 1 - i / image.layout().width : i / image.layout().width;
        const size_t at = static_cast<size_t>(i % image.layout().width) * pixel;
        ended = ended || std::memcmp(image.row(y) + at, whole.row(y) + at, pixel) != 0;
        if (!ended) ++same;
      }
      const int64_t pixels = image.layout().width * image.layout().height;
      CHECK(same * 10 >= pixels * 4);
      CHECK(same < pixels);
    }
  }
}

TEST_CASE(
    "headers that claim much are refused by the limit, or for what the file does not hold, before memory is "
    "spent") {
  const TemporaryFolder folder;
  const std::string path = folder / "claims";
  ImageLimits limits;
  limits.max_pixels = 1000 * 1000;
  for (const std::string& bytes :
       {BmpHeader(1001, 1000), BmpHeader(0x7FFFFFFF, 0x7FFFFFFF), TgaHeader(2, 65535) + "x",
        "qoif" + std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x03\x00", 10),
        std::string("P1\n1001 1000\n0")}) {
    WriteFile(path, bytes);
    const Result<ImageHeader> header = Probe(path, limits);
    REQUIRE(!header);
    CHECK(header.error().code == Code::kLimitExceeded);
  }
  for (const std::string& bytes :
       {BmpHeader(20000, 20000), TgaHeader(2, 20000) + "x", TgaHeader(10, 20000) + "x",
        "qoif" + std::string("\x00\x00\x40\x00\x00\x00\x40\x00\x03\x00", 10) + "x",
        std::string("P1\n20000 20000\n0")}) {
    WriteFile(path, bytes);
    const ImageHeader header = Probe(path, {}).value();
    const size_t before = ReadProcessMemory().peak_resident;
    const Result<std::unique_ptr<RowReader>> rows = OpenRows(path, header, {});
    REQUIRE(!rows);
    CHECK(rows.error().code == Code::kTruncated);
    CHECK(ReadProcessMemory().peak_resident - before < (size_t{4} << 20));
  }
}
