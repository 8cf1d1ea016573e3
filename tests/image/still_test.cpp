// BMP, TGA, ICO, QOI, DDS and SGI beyond tests/corpus: what is kept of cut files, and that limits come before
// memory.
#include <doctest/doctest.h>

#include <cstring>

#include "image_test.h"

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

/// The header of a DDS of blocks (DXT5), and no pixel.
std::string DdsHeader(uint64_t width, uint64_t height) {
  return "DDS " + Little(124, 4) + Little(0, 4) + Little(height, 4) + Little(width, 4) +
         std::string(56, '\0') + Little(32, 4) + Little(4, 4) + "DXT5" + std::string(40, '\0');
}

/// The header of an SGI of 8 bits and 3 channels, raw or of runs, and no pixel.
std::string SgiHeader(bool runs, uint64_t side) {
  const std::string sides = Little(side >> 8, 1) + Little(side & 255, 1);
  return "\x01\xda" + Little(runs ? 1 : 0, 1) + std::string("\1\0\3", 3) + sides + sides +
         std::string("\0\3", 2) + std::string(500, '\0');
}

/// A file of tests/corpus of which only the first bytes are left, and what is to be kept of it.
struct CutFile {
  std::string name;
  int64_t left;         ///< bytes; below 0: without so many at its end
  const char* ends_at;  ///< as the message says
  bool (*kept)(int64_t x, int64_t y);
  int black_alpha = 0;  ///< of what is filled up
};

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
      CHECK(rows->notes()[0].find(" rows could be read; the rest is black: ") != std::string::npos);
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

TEST_CASE("of a DDS or an SGI that ends early, whole blocks and pixels of all channels are kept") {
  // 21 x 11 pixels: by arithmetic on the layouts. Rows of an SGI are stored from the lowest one on.
  const CutFile files[] = {
      {"dds/dxt5.dds", 128 + 14 * 16, "176 of 231", [](int64_t x, int64_t y) { return y < 8 || x < 8; }},
      {"dds/dxt5_mipmaps.dds", 128 + 14 * 16, "176 of 231",
       [](int64_t x, int64_t y) { return y < 8 || x < 8; }},
      {"dds/dxt1.dds", 128 + 7 * 8, "88 of 231",
       [](int64_t x, int64_t y) { return y < 4 || (y < 8 && x < 4); }, 255},
      {"dds/dx10_28.dds", 148 + 100 * 4, "100 of 231", [](int64_t x, int64_t y) { return y * 21 + x < 100; }},
      {"sgi/rgb_raw.sgi", -40, "191 of 231", [](int64_t x, int64_t y) { return (10 - y) * 21 + x < 191; }},
      {"sgi/rgba16_raw.sgi", -40, "211 of 231", [](int64_t x, int64_t y) { return (10 - y) * 21 + x < 211; }},
      {"sgi/rgba_runs.sgi", -2, "210 of 231", [](int64_t, int64_t y) { return y > 0; }},
      {"sgi/rgb16_runs.sgi", -3, "210 of 231", [](int64_t, int64_t y) { return y > 0; }},
  };
  const TemporaryFolder folder;
  const std::string path = folder / "cut";
  ReadOptions lenient;
  lenient.allow_truncated = true;
  for (const CutFile& file : files) {
    CAPTURE(file.name);
    const std::string source = IMGMILL_SOURCE_DIR "/tests/corpus/files/" + file.name;
    const std::string bytes = ReadFile(source);
    const auto left =
        static_cast<size_t>(file.left < 0 ? static_cast<int64_t>(bytes.size()) + file.left : file.left);
    const Image whole = ReadAll(source, {});
    WriteFile(path, bytes.substr(0, left));
    const ImageHeader header = Probe(path, {}).value();
    const Result<std::unique_ptr<RowReader>> strict = OpenRows(path, header, {});
    REQUIRE(!strict);
    CHECK(strict.error().code == Code::kTruncated);
    CHECK(strict.error().message.find(std::string("image data ends at pixel ") + file.ends_at) !=
          std::string::npos);
    const std::unique_ptr<RowReader> rows = OpenRows(path, header, lenient).value();
    REQUIRE(rows->notes().size() == 1);
    const Image image = TakeAll(*rows);
    REQUIRE(image.layout() == whole.layout());
    const auto bands = static_cast<size_t>(image.layout().bands);
    const size_t pixel = image.layout().row_bytes() / static_cast<size_t>(image.layout().width);
    std::string black(pixel, '\0');
    if (bands == 4) black[pixel - 1] = static_cast<char>(file.black_alpha);
    for (int64_t i = 0; i < 21 * 11; ++i) {
      CAPTURE(i);
      const size_t at = static_cast<size_t>(i % 21) * pixel;
      const uint8_t* wanted =
          file.kept(i % 21, i / 21) ? whole.row(i / 21) + at : reinterpret_cast<const uint8_t*>(black.data());
      CHECK(std::memcmp(image.row(i / 21) + at, wanted, pixel) == 0);
    }
  }
}

TEST_CASE("of an SGI no pixel of which has all its channels, nothing is kept") {
  ReadOptions lenient;
  lenient.allow_truncated = true;
  const std::string path = IMGMILL_SOURCE_DIR "/tests/corpus/files/sgi/rgb_raw_half.sgi";
  const Result<std::unique_ptr<RowReader>> rows = OpenRows(path, Probe(path, {}).value(), lenient);
  REQUIRE(!rows);
  CHECK(rows.error().message == "image data ends at pixel 0 of 231");
}

TEST_CASE("textures of blocks count as lossy, raw ones do not") {
  const std::string folder = IMGMILL_SOURCE_DIR "/tests/corpus/files/dds/";
  const auto fidelity = [&](const char* name) { return Probe(folder + name, {}).value().fidelity; };
  CHECK(fidelity("dxt5.dds") < fidelity("bgr24.dds"));
  CHECK(fidelity("dx10_72_bc1.dds") == fidelity("dxt5.dds"));
  CHECK(fidelity("dx10_28.dds") == fidelity("bgra.dds"));
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
        "qoif" + std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x03\x00", 10), DdsHeader(1001, 1000),
        DdsHeader(0xFFFFFFFF, 0xFFFFFFFF), SgiHeader(false, 65535), SgiHeader(true, 65535),
        std::string("P1\n1001 1000\n0")}) {
    WriteFile(path, bytes);
    const Result<ImageHeader> header = Probe(path, limits);
    REQUIRE(!header);
    CHECK(header.error().code == Code::kLimitExceeded);
  }
  for (const std::string& bytes :
       {BmpHeader(20000, 20000), TgaHeader(2, 20000) + "x", TgaHeader(10, 20000) + "x",
        "qoif" + std::string("\x00\x00\x40\x00\x00\x00\x40\x00\x03\x00", 10) + "x",
        DdsHeader(20000, 20000) + "x", SgiHeader(false, 20000) + "x", SgiHeader(true, 20000) + "x",
        std::string("P1\n20000 20000\n0")}) {
    WriteFile(path, bytes);
    const ImageHeader header = Probe(path, {}).value();
    const MemoryGrowth growth;
    const Result<std::unique_ptr<RowReader>> rows = OpenRows(path, header, {});
    REQUIRE(!rows);
    CHECK(rows.error().code == Code::kTruncated);
    CHECK(growth.Bytes() < (size_t{16} << 20));  // the pixels that are claimed are 50 MB and more
  }
}
