// Files that are too short for what their headers tell of, drawn here byte by byte after each format's
// description: known from the header alone, before anybody takes memory for them.
#include <doctest/doctest.h>

#include "image_test.h"
#include "torch/little_endian.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

std::string BigEndian4(uint64_t value) {
  const std::string little = LittleEndian(value, 4);
  return {little.rbegin(), little.rend()};
}

std::string Bmp(uint32_t side, int bits) {
  const uint64_t palette = bits <= 8 ? 4U << bits : 0;
  return "BM" + LittleEndian(0, 4) + LittleEndian(0, 4) + LittleEndian(54 + palette, 4) +
         LittleEndian(40, 4) + LittleEndian(side, 4) + LittleEndian(side, 4) + LittleEndian(1, 2) +
         LittleEndian(static_cast<uint64_t>(bits), 2) + std::string(24 + palette, '\0');
}

/// Of type 2, raw, or 10, runs.
std::string Tga(uint64_t type, uint64_t side) {
  return LittleEndian(0, 2) + LittleEndian(type, 1) + std::string(9, '\0') + LittleEndian(side, 2) +
         LittleEndian(side, 2) + LittleEndian(24, 1) + LittleEndian(0x20, 1);
}

std::string Qoi(uint64_t side) {
  return "qoif" + BigEndian4(side) + BigEndian4(side) + std::string("\3\0", 2);
}

/// Of blocks (DXT5).
std::string Dds(uint64_t side) {
  return "DDS " + LittleEndian(124, 4) + LittleEndian(0, 4) + LittleEndian(side, 4) + LittleEndian(side, 4) +
         std::string(56, '\0') + LittleEndian(32, 4) + LittleEndian(4, 4) + "DXT5" + std::string(40, '\0');
}

/// Grey, raw.
std::string Sgi(uint64_t side) {
  const std::string sides = {static_cast<char>(side >> 8), static_cast<char>(side)};
  return std::string("\x01\xda\0\1\0\2", 6) + sides + sides + std::string("\0\1", 2) + std::string(500, '\0');
}

/// Of 8 bits grey, by Adam7; the checksum of its header is right for 8000 only.
std::string Png(uint64_t side) {
  return "\x89PNG\r\n\x1a\n" + BigEndian4(13) + "IHDR" + BigEndian4(side) + BigEndian4(side) +
         std::string("\x08\0\0\0\1", 5) + BigEndian4(0x549DC2BE) + BigEndian4(2) + "IDATab" + BigEndian4(0);
}

std::string Gif(uint64_t side, const std::string& data) {
  return "GIF89a" + LittleEndian(side, 2) + LittleEndian(side, 2) + std::string("\x80\0\0", 3) +
         std::string("\0\0\0\xff\xff\xff", 6) + "\x2c" + LittleEndian(0, 4) + LittleEndian(side, 2) +
         LittleEndian(side, 2) + std::string("\0\2", 2) + data + std::string("\0\x3b", 2);
}

/// One uncompressed strip of each plane, or of all samples.
std::string Tiff(uint64_t side, uint64_t samples, uint64_t bits, bool planes) {
  const uint64_t strips = planes ? samples : 1;
  constexpr uint64_t kTags = 10;
  const uint64_t lists = 8 + 2 + kTags * 12 + 4;
  std::string longs;  // behind the directory: depths, offsets, sizes
  const auto list = [&](uint64_t tag, uint64_t type, uint64_t count, uint64_t value) {
    const int bytes = type == 3 ? 2 : 4;
    std::string all;
    for (uint64_t i = 0; i < count; ++i) all += LittleEndian(value, bytes);
    const std::string head = LittleEndian(tag, 2) + LittleEndian(type, 2) + LittleEndian(count, 4);
    if (all.size() <= 4) return head + all + std::string(4 - all.size(), '\0');
    longs += all;
    return head + LittleEndian(lists + longs.size() - all.size(), 4);
  };
  const std::string tags = list(256, 4, 1, side) + list(257, 4, 1, side) + list(258, 3, samples, bits) +
                           list(259, 3, 1, 1) + list(262, 3, 1, samples == 1 ? 1 : 2) +
                           list(273, 4, strips, 200) + list(277, 3, 1, samples) + list(278, 4, 1, side) +
                           list(279, 4, strips, side * side * bits / 8) + list(284, 3, 1, planes ? 2 : 1);
  return "II" + LittleEndian(42, 2) + LittleEndian(8, 4) + LittleEndian(kTags, 2) + tags +
         LittleEndian(0, 4) + longs + std::string(64, '\0');
}

/// A progressive JPEG, grey, with the head of its first scan and two bytes.
std::string Jpeg(uint64_t side) {
  const auto segment = [](char marker, const std::string& body) {
    return std::string("\xFF") + marker + '\0' + static_cast<char>(body.size() + 2) + body;
  };
  const std::string sides = {static_cast<char>(side >> 8), static_cast<char>(side),
                             static_cast<char>(side >> 8), static_cast<char>(side)};
  return "\xFF\xD8" + segment('\xDB', std::string(1, '\0') + std::string(64, '\1')) +
         segment('\xC2', "\x08" + sides + std::string("\1\1\x11\0", 4)) +
         segment('\xC4', std::string("\0\1", 2) + std::string(16, '\0')) +
         segment('\xDA', std::string("\1\1\0\0\0\0", 6)) + "ab";
}

}  // namespace

TEST_CASE(
    "a file that cannot hold its pixels is known by its header, in every format where that can be known") {
  const TemporaryFolder folder;
  const std::string path = folder / "claims";
  const std::string some = "some bytes";
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"bmp", Bmp(8000, 24) + some},
           {"bmp of 8 bits", Bmp(8000, 8) + some},
           {"tga", Tga(2, 8000) + some},
           {"tga of runs", Tga(10, 8000) + some},
           {"qoi", Qoi(8000) + some},
           {"dds", Dds(8000) + some},
           {"sgi", Sgi(8000) + some},
           {"png", Png(8000)},
           {"gif", Gif(8000, "\2\x44\1")},
           {"tiff of planes", Tiff(8000, 3, 8, true)},
           {"tiff of planes, grey and alpha", Tiff(8000, 2, 8, true)},
           {"tiff of 32 bits", Tiff(8000, 1, 32, false)},
           {"jpeg", Jpeg(8000)},
           {"ppm", "P6 8000 8000 255\n" + some},
           {"pfm", "PF 8000 8000 -1\n" + some},
           {"ppm in text", "P3 8000 8000 255\n1 2 3"}}) {
    CAPTURE(name);
    WriteFile(path, bytes);
    const Result<ImageHeader> header = Probe(path, {});
    if (!header) FAIL(header.error().message);
    CHECK(header->width == 8000);
    REQUIRE(header->too_short);
    CHECK(header->too_short->code == Code::kTruncated);
    CHECK(header->too_short->message.find("--allow-truncated") != std::string::npos);
    const auto rows = OpenRows(path, *header, {});
    REQUIRE_FALSE(rows.ok());
    CHECK(rows.error().message == header->too_short->message);
    ReadOptions lenient;
    lenient.allow_truncated = true;
    CHECK(MayHoldPixels(*header, lenient).ok());
  }
}

TEST_CASE("the fewest bytes that an encoding can take are enough") {
  // By hand: 62 pixels a run of QOI, 128 a packet of TGA, both of black; and their end.
  const TemporaryFolder folder;
  const std::string path = folder / "black";
  for (const auto& [bytes, side] : std::vector<std::pair<std::string, int64_t>>{
           {Qoi(62) + std::string(62, '\xFD') + std::string("\0\0\0\0\0\0\0\1", 8), 62},
           {Tga(10, 64) +
                [] {
                  std::string packets;
                  for (int i = 0; i < 64 * 64 / 128; ++i) packets += std::string("\xFF\0\0\0", 4);
                  return packets;
                }(),
            64}}) {
    CAPTURE(side);
    WriteFile(path, bytes);
    const ImageHeader header = Probe(path, {}).value();
    CHECK_FALSE(header.too_short);
    const Image image = ReadAll(path, {});
    CHECK(image.layout() == Layout{side, side, 3, Sample::kU8});
    CHECK(image.row(side - 1)[3 * side - 1] == 0);
  }
  // A byte less is refused by its header: pixels are missing, whatever the others say.
  WriteFile(path, Tga(10, 64) + std::string(4 * 32 - 1, '\xFF'));
  CHECK(Probe(path, {}).value().too_short);
}

TEST_CASE("a GIF of one colour, in the longest strings that its table allows, is not too short") {
  // Each code stands for one pixel more than the one before: after a clear code, a 0, then each next new
  // string. 3 bits at first, 12 at last.
  const TemporaryFolder folder;
  std::string packed;
  unsigned bits = 0;
  int have = 0;
  const auto put = [&](unsigned code, int width) {
    bits |= code << have;
    for (have += width; have >= 8; have -= 8, bits >>= 8) packed += static_cast<char>(bits);
  };
  int width = 3;
  put(4, width);
  put(0, width);
  int64_t pixels = 1;
  for (unsigned next = 6; pixels < 1000 * 1000; ++next) {
    put(next, width);
    pixels += next - 4;  // 2 of the first string, 3 of the next one
    if (next == (1U << width) - 1 && width < 12) ++width;
  }
  put(5, width);
  put(0, 8);
  std::string blocks;
  for (size_t at = 0; at < packed.size(); at += 255) {
    const std::string block = packed.substr(at, 255);
    blocks += static_cast<char>(block.size()) + block;
  }
  // The last string goes beyond the image, which is allowed (GIF89a, appendix F, says nothing of it).
  WriteFile(folder / "flat.gif", Gif(1000, blocks));
  const ImageHeader header = Probe(folder / "flat.gif", {}).value();
  CHECK_FALSE(header.too_short);
  CHECK(header.file_bytes < 3000);
  CHECK(ReadAll(folder / "flat.gif", {}).layout().height == 1000);
}
