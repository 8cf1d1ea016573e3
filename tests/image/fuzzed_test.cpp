// Inputs that fuzzing found, or that its limits are about, as small as they got: each did harm before it was
// mended.
#include <doctest/doctest.h>

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
