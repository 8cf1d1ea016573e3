// Full decodes equal Pillow's to the bit: hashes that peers compute on Pillow's pixels depend on it.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

// CRC-32 as zlib has it (ISO 3309).
uint32_t Crc32(const Image& image) {
  static const std::vector<uint32_t> table = [] {
    std::vector<uint32_t> t(256);
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) != 0 ? 0xEDB88320U : 0U);
      t[i] = c;
    }
    return t;
  }();
  uint32_t crc = ~0U;
  for (int64_t y = 0; y < image.layout().height; ++y) {
    for (size_t i = 0; i < image.layout().row_bytes(); ++i) {
      crc = (crc >> 8) ^ table[(crc ^ image.row(y)[i]) & 0xFF];
    }
  }
  return ~crc;
}

}  // namespace

TEST_CASE("RGB and luma of the photos equal Pillow's to the bit") {
  if (!HaveAssets()) return;
  // Made by golden/make_pillow_checksums.py.
  std::ifstream golden(IMGMILL_SOURCE_DIR "/tests/image/golden/pillow_photos.tsv");
  REQUIRE(golden);
  int compared = 0;
  for (std::string line; std::getline(golden, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream fields(line);
    std::string name;
    int64_t width = 0;
    int64_t height = 0;
    uint32_t rgb = 0;
    uint32_t luma = 0;
    fields >> name >> width >> height >> std::hex >> rgb >> luma;
    REQUIRE(fields);
    CAPTURE(name);
    ReadOptions options;
    options.alpha = ReadOptions::Alpha::kDrop;
    options.to_8bit = true;
    options.keep_profile = true;  // Pillow applies none
    options.bands = ReadOptions::Bands::kRgb;
    const Image colours = ReadAll(Asset("photos/" + name), options);
    CHECK(colours.layout() == Layout{width, height, 3, Sample::kU8});
    CHECK(Crc32(colours) == rgb);
    options.bands = ReadOptions::Bands::kGrey;
    CHECK(Crc32(ReadAll(Asset("photos/" + name), options)) == luma);
    ++compared;
  }
  CHECK(compared > 110);
}
