// Inputs that fuzzing found, or that its limits are about, as small as they got: each did harm before it was
// mended.
#include <doctest/doctest.h>

#include <ctime>

#include "image/missing_end.h"
#include "image/tiff/tiff_facts.h"
#include "image_test.h"
#include "torch/little_endian.h"

using namespace imgmill;
using namespace imgmill::image_test;

TEST_CASE("an icon's PNG without rows or columns is no picture") {
  const TemporaryFolder folder;
  for (const auto& [width, height] : {std::pair<char, char>{21, 0}, {0, 21}}) {
    // One entry of 22 + 33 bytes: an icon's directory, then a PNG's signature and IHDR (PNG 1.2, 11.2.2: zero
    // is invalid).
    const std::string png = std::string("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0", 19) + width +
                            std::string(3, '\0') + height + std::string("\x08\x02\0\0\0crc!", 9);
    const std::string icon = std::string("\0\0\1\0\1\0\x15\x0b\0\0\1\0\x18\0", 14) +
                             LittleEndian(png.size(), 4) + LittleEndian(22, 4) + png;
    WriteFile(folder / "none.ico", icon);
    const Result<ImageHeader> header = Probe(folder / "none.ico", ImageLimits());
    REQUIRE_FALSE(header.ok());
    CHECK(header.error().code == Code::kMalformed);
  }
}

TEST_CASE("a progressive JPEG of a hundred scans is read, one of more is made to waste time") {
  const TemporaryFolder folder;
  const auto segment = [](char marker, const std::string& body) {
    const size_t length = body.size() + 2;
    return std::string("\xFF") + marker + static_cast<char>(length >> 8) + static_cast<char>(length & 255) +
           body;
  };
  const auto table = [&](char which) {  // one code, "0", for 0: no difference, or the end of the block
    return segment('\xC4', std::string(1, which) + '\1' + std::string(16, '\0'));
  };
  const std::string scan = segment('\xDA', std::string("\1\1\0\1\x3F\0", 6)) + "\x3F";  // two blocks, bits 00
  for (const int scans : {100, 101}) {
    std::string file = "\xFF\xD8" + segment('\xDB', std::string(1, '\0') + std::string(64, '\1')) +
                       segment('\xC2', std::string("\x08\0\x08\0\x10\1\1\x11\0", 9)) + table('\0') +
                       table('\x10') + segment('\xDA', std::string("\1\1\0\0\0\0", 6)) + "\x3F";
    for (int i = 1; i < scans; ++i) file += scan;
    WriteFile(folder / "scans.jpg", file + "\xFF\xD9");
    const Result<ImageHeader> header = Probe(folder / "scans.jpg", ImageLimits());
    REQUIRE(header.ok());
    const auto rows = OpenRows(folder / "scans.jpg", *header, ReadOptions());
    CHECK(rows.ok() == (scans == 100));
    if (!rows) CHECK(rows.error().code == Code::kLimitExceeded);
  }
}

TEST_CASE("a BigTIFF's tag of 2^63 numbers is not read beyond its own eight bytes") {
  const TemporaryFolder folder;
  const auto entry = [](uint64_t tag, uint64_t type, uint64_t count, uint64_t value) {
    return LittleEndian(tag, 2) + LittleEndian(type, 2) + LittleEndian(count, 8) + LittleEndian(value, 8);
  };
  // Twice 2^63 is 0 in 64 bits, which passed for "fits into the entry".
  WriteFile(folder / "many.tif", "II" + LittleEndian(43, 2) + LittleEndian(8, 2) + LittleEndian(0, 2) +
                                     LittleEndian(16, 8) + LittleEndian(3, 8) + entry(256, 3, 1, 4) +
                                     entry(257, 3, 1, 4) + entry(258, 3, uint64_t{1} << 63, INT64_MAX) +
                                     LittleEndian(0, 8));
  Result<InputFile> file = InputFile::Open(folder / "many.tif", Stage::kProbe);
  REQUIRE(file.ok());
  const std::optional<TiffFacts> facts = ReadTiffFacts(*file);
  REQUIRE(facts);
  CHECK(facts->bits ==
        1);  // as if the tag were missing (TIFF 6.0, section 8), since nothing is at its offset
}

TEST_CASE("boxes made to waste time waste none") {
  const TemporaryFolder folder;
  const auto big = [](uint64_t value, int bytes) {
    const std::string little = LittleEndian(value, bytes);
    return std::string(little.rbegin(), little.rend());
  };
  const auto box = [&](const std::string& name, const std::string& body) {
    return big(body.size() + 8, 4) + name + body;
  };
  const auto seconds = [&](const std::string& bytes) {
    WriteFile(folder / "boxes", bytes);
    Result<InputFile> file = InputFile::Open(folder / "boxes", Stage::kDecode);
    REQUIRE(file.ok());
    const std::clock_t begin = std::clock();  // of the processor: others' work does not count
    CHECK_FALSE(FindMissingEnd(*file, ImageFormat::kHeif));
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  // An AVIF whose "iloc" has 100,000 items of 65,535 parts each, of which it tells nothing (ISO
  // 14496-12, 8.11.3: all sizes are 0; an item's id, method, file, number of parts).
  std::string items = big(2, 1) + big(0, 3) + big(0, 2) + big(100'000, 4);
  for (int i = 0; i < 100'000; ++i) items += big(1, 4) + big(0, 2) + big(0, 2) + big(65'535, 2);
  CHECK(seconds(box("ftyp", "avif" + big(0, 4)) + box("meta", big(0, 4) + box("iloc", items))) < 2);
}

TEST_CASE("a compressed BigTIFF that claims 2^60 strips ends the look for its end at once") {
  const TemporaryFolder folder;
  const auto entry = [](uint64_t tag, uint64_t type, uint64_t count, uint64_t value) {
    return LittleEndian(tag, 2) + LittleEndian(type, 2) + LittleEndian(count, 8) + LittleEndian(value, 8);
  };
  const uint64_t many = uint64_t{1} << 60;
  WriteFile(folder / "many.tif", "II" + LittleEndian(43, 2) + LittleEndian(8, 2) + LittleEndian(0, 2) +
                                     LittleEndian(16, 8) + LittleEndian(5, 8) + entry(256, 3, 1, 4) +
                                     entry(257, 3, 1, 4) + entry(259, 3, 1, 5) + entry(273, 16, many, 16) +
                                     entry(279, 16, many, 16) + LittleEndian(0, 8));
  Result<InputFile> file = InputFile::Open(folder / "many.tif", Stage::kDecode);
  REQUIRE(file.ok());
  const TimeGuard guard("the look for the end of a TIFF", 20);
  CHECK_FALSE(FindMissingTiffEnd(*file));
}
