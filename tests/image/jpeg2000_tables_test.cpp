// What a JPEG 2000 header of some 100 bytes may ask OpenJPEG for: counted by hand, and refused or leased.
#include "image/jpeg2000/jpeg2000_tables.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "image_test.h"
#include "imgmill/image/reader.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

std::string Big(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>((value >> (8 * i)) & 0xFF);
  return text;
}

struct Codestream {
  uint64_t width = 1000;
  uint64_t height = 1000;
  uint64_t tile = 1000;  ///< a side
  char block = 4;        ///< a side is 2 to the power of this and 2
  std::string precincts = {};
};

/// Three components, one layer, five decompositions, no data.
std::string Draw(const Codestream& of) {
  std::string siz = Big(0, 2) + Big(of.width, 4) + Big(of.height, 4) + Big(0, 8) + Big(of.tile, 4) +
                    Big(of.tile, 4) + Big(0, 8) + Big(3, 2);
  for (int i = 0; i < 3; ++i) siz += "\x07\x01\x01";
  const std::string cod = std::string(1, of.precincts.empty() ? '\0' : '\1') + Big(0, 1) + Big(1, 2) +
                          Big(0, 1) + "\x05" + of.block + of.block + Big(0, 2) + of.precincts;
  const std::string qcd = "\x40" + std::string(16, '\x48');
  return "\xFF\x4F\xFF\x51" + Big(siz.size() + 2, 2) + siz + "\xFF\x52" + Big(cod.size() + 2, 2) + cod +
         "\xFF\x5C" + Big(qcd.size() + 2, 2) + qcd + std::string("\xFF\x90\0\x0A\0\0\0\0\0\0\0\1", 12) +
         "\xFF\x93\xFF\xD9";
}

class Drawn {
 public:
  explicit Drawn(const Codestream& of) : path_(folder_ / "a.j2k") {
    std::ofstream(path_, std::ios::binary) << Draw(of);
  }
  Result<ImageHeader> Probed() const { return Probe(path_, {}); }
  Jpeg2000Tables Tables() const {
    const Result<InputFile> file = InputFile::Open(path_, Stage::kProbe);
    return ReadJpeg2000Tables(*file, ReadJpeg2000Layout(*file));
  }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

}  // namespace

TEST_CASE("JPEG 2000's tiles and code-blocks are counted from its header") {
  // By hand: ceil(1000 / 12) is 84 tiles a side.
  CHECK(Drawn({.tile = 12}).Tables().tiles == 84 * 84);
  // 4 x 4 code-blocks: a million pixels in some 62,500 of them, for each of three components; of 64 x 64, 256
  // times fewer. OpenJPEG was seen to take 79 MB more for the first.
  const Jpeg2000Tables small = Drawn({.block = 0}).Tables();
  CHECK(small.while_decoded > 3 * 62'500 * int64_t{400});
  CHECK(small.while_decoded < 3 * 62'500 * int64_t{480});
  CHECK(Drawn({}).Tables().while_decoded < small.while_decoded / 50);
  // Precincts of two pixels a side cut code-blocks down to one pixel in the bands of half the size; 1.66 GB
  // were seen.
  const int64_t precincts = Drawn({.precincts = std::string(6, '\x11')}).Tables().while_decoded;
  CHECK(precincts > int64_t{1'600} << 20);
  CHECK(precincts < int64_t{2'200} << 20);
}

TEST_CASE("they are part of what reading needs") {
  const ImageHeader plain = Drawn({}).Probed().value();
  const ImageHeader small = Drawn({.block = 0}).Probed().value();
  CHECK(ReadFootprint(small, {}).total() > ReadFootprint(plain, {}).total() + (size_t{70} << 20));
}

TEST_CASE("JPEG 2000 sizes that libvips does not know, and too many tiles, are refused from the header") {
  const auto refused = [](const Codestream& of) { return Drawn(of).Probed().error(); };
  CHECK(refused({.width = 1 << 30, .height = 1}).code == Code::kUnsupported);
  CHECK(refused({.width = 1, .height = (1 << 30) - 1}).message.find("a side may have at most") !=
        std::string::npos);
  CHECK(refused({.width = 0x7FFFFFFF, .height = 0x7FFFFFFF}).code == Code::kLimitExceeded);
  CHECK(refused({.tile = 4}).message.find("62500 tiles") != std::string::npos);
}
