// Raw files of cameras that are TIFFs, byte by byte after TIFF 6.0 and Adobe's DNG specification 1.6.
#include <doctest/doctest.h>

#include <algorithm>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

std::string Little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

struct Tag {
  int number;
  uint64_t value;
};

/// Grey, 8x8, of 8 bits, with these tags besides or in place of its own.
std::string Tiff(const std::vector<Tag>& others) {
  std::vector<Tag> tags = {{256, 8}, {257, 8}, {258, 8}, {259, 1}, {262, 1},
                           {273, 0}, {277, 1}, {278, 8}, {279, 64}};
  for (const Tag& other : others) {
    std::erase_if(tags, [&](const Tag& tag) { return tag.number == other.number; });
    tags.push_back(other);
  }
  std::sort(tags.begin(), tags.end(), [](const Tag& a, const Tag& b) { return a.number < b.number; });
  constexpr size_t kHeader = 16;  // with room where Canon puts its mark
  const size_t pixels = kHeader + 2 + 12 * tags.size() + 4;
  std::string file =
      std::string("II*\0", 4) + Little(kHeader, 4) + std::string(8, '\0') + Little(tags.size(), 2);
  for (const Tag& tag : tags) {
    file += Little(static_cast<uint64_t>(tag.number), 2) + Little(4, 2) + Little(1, 4) +
            Little(tag.number == 273 ? pixels : tag.value, 4);
  }
  return file + Little(0, 4) + std::string(64, 'x');
}

}  // namespace

TEST_CASE("a camera's raw file is refused, not taken for its thumbnail; other TIFFs are read") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.tif";
  const auto refused = [&](const std::string& file) {
    WriteFile(path, file);
    const Result<ImageHeader> header = Probe(path, {});
    if (header) return false;
    CHECK(header.error().code == Code::kUnsupported);
    CHECK(header.error().message.find("raw file") != std::string::npos);
    return true;
  };
  constexpr int kSubfile = 254, kPhotometric = 262, kSubIfds = 330, kDngVersion = 50706;
  CHECK_FALSE(refused(Tiff({})));
  CHECK_FALSE(refused(Tiff({{kSubIfds, 8}})));  // smaller copies, as editors keep them
  CHECK_FALSE(refused(Tiff({{kSubfile, 1}})));  // a page of a pyramid
  CHECK(refused(Tiff({{kSubfile, 1}, {kSubIfds, 8}})));
  CHECK(refused(Tiff({{kDngVersion, 0x0401}})));
  CHECK(refused(Tiff({{kPhotometric, 32803}})));
  CHECK(refused(Tiff({{kPhotometric, 34892}})));
  std::string canon = Tiff({});
  canon.replace(8, 3, "CR\2");
  CHECK(refused(canon));
  canon.replace(8, 3, "CRT");  // whatever stands there, as in files whose pixels do
  CHECK_FALSE(refused(canon));
  for (const std::string& magic : {std::string("FUJIFILMCCD-RAW 0201"), std::string("IIRO\x08\0\0\0", 8),
                                   std::string("IIU\0\x18\0\0\0", 8),
                                   std::string("\0\0\0\x18"
                                               "ftypcrx ",
                                               12)}) {
    WriteFile(path, magic + std::string(64, '\x01'));
    const Result<ImageHeader> header = Probe(path, {});
    REQUIRE(!header);
    CHECK(header.error().message.find("raw file") != std::string::npos);
  }
}
