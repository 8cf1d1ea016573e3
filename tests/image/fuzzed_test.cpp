// Inputs that scripts/fuzz.sh found, as small as they got: each did harm before it was mended.
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
