// What a TIFF tells of the photograph goes along into other formats. The tags of the files are what ExifTool
// 12.57 wrote into them (tests/corpus/tiff_exif.py) and reads out of the outputs.
#include "image/tiff/tiff_exif.h"

#include <doctest/doctest.h>

#include "image/tiff/tiff_directory.h"
#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

const std::string kFiles = IMGMILL_SOURCE_DIR "/tests/corpus/files/tiff_exif/";

InputFile OpenFile(const std::string& path) {
  return InputFile::Open(path, Stage::kDecode).value();
}

uint64_t NumberAt(const InputFile& file, const TiffDirectory& directory, uint64_t at, size_t bytes) {
  unsigned char raw[8] = {};
  REQUIRE(file.ReadExactly(at, raw, bytes));
  return directory.Number(raw, bytes);
}

}  // namespace

TEST_CASE("a TIFF's EXIF is a block of its own, in the file's order of bytes") {
  const TemporaryFolder folder;
  for (const std::string name : {"low_byte_first.tif", "high_byte_first.tif"}) {
    CAPTURE(name);
    const std::vector<uint8_t> exif = ExifOfTiff(OpenFile(kFiles + name));
    REQUIRE(exif.size() > 14);
    CHECK(std::string(exif.begin(), exif.begin() + 6) == std::string("Exif\0\0", 6));
    WriteFile(folder / "block.tif", std::string(exif.begin() + 6, exif.end()));
    const InputFile block = OpenFile(folder / "block.tif");
    const TiffDirectory first = ReadTiffDirectory(block).value();
    CHECK(first.big_endian == name.starts_with("high"));
    CHECK(first.Find(274) == nullptr);  // orientation: the picture's own
    CHECK(first.Find(256) == nullptr);  // width
    REQUIRE(first.Find(271) != nullptr);
    CHECK(first.Find(271)->count == std::string("Millmaker").size() + 1);
    const TiffDirectory own = ReadTiffDirectory(block, first.Value(34665).value()).value();
    CHECK(own.Value(34855).value() == 400);  // ISO
    REQUIRE(own.Find(33434) != nullptr);     // exposure time: a fraction, outside of its entry
    const uint64_t at = own.Number(own.Find(33434)->field, 4);
    CHECK(NumberAt(block, own, at, 4) == 1);
    CHECK(NumberAt(block, own, at + 4, 4) == 250);
    const TiffDirectory place = ReadTiffDirectory(block, first.Value(34853).value()).value();
    REQUIRE(place.Find(2) != nullptr);  // latitude: 48 degrees, 30 minutes
    const uint64_t latitude = place.Number(place.Find(2)->field, 4);
    CHECK(NumberAt(block, place, latitude, 4) == 48);
    CHECK(NumberAt(block, place, latitude + 8, 4) == 30);
  }
  CHECK(ExifOfTiff(OpenFile(IMGMILL_SOURCE_DIR "/tests/corpus/files/plain/lossless.j2k")).empty());
}

TEST_CASE("directories that are pointed to by the types of their own, IFD and IFD8, are read, too") {
  const TemporaryFolder folder;
  for (const std::string name : {"low_byte_first.tif", "high_byte_first.tif"}) {
    CAPTURE(name);
    std::string bytes = ReadFile(kFiles + name);
    const TiffDirectory first = ReadTiffDirectory(OpenFile(kFiles + name)).value();
    for (const uint64_t tag : {34665, 34853}) {
      REQUIRE(first.Find(tag)->type == 4);
      const uint64_t type_at = first.Find(tag)->field_at - 6;
      bytes[static_cast<size_t>(type_at) + (first.big_endian ? 1 : 0)] = 13;
    }
    WriteFile(folder / name, bytes);
    CHECK(ExifOfTiff(OpenFile(folder / name)) == ExifOfTiff(OpenFile(kFiles + name)));
  }
  // A BigTIFF of one entry, which points behind its directory, where there is one entry, too: ISO 400.
  const auto number = [](uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
  };
  const auto directory = [&](uint64_t tag, uint64_t type, uint64_t value) {
    return number(1, 8) + number(tag, 2) + number(type, 2) + number(1, 8) + number(value, 8) + number(0, 8);
  };
  constexpr uint64_t kHead = 16, kDirectory = 36;
  WriteFile(folder / "big.tif", "II" + number(43, 2) + number(8, 2) + number(0, 2) + number(kHead, 8) +
                                    directory(34665, 18, kHead + kDirectory) + directory(34855, 3, 400));
  const std::vector<uint8_t> exif = ExifOfTiff(OpenFile(folder / "big.tif"));
  REQUIRE(exif.size() > 6);
  WriteFile(folder / "block.tif", std::string(exif.begin() + 6, exif.end()));
  const InputFile block = OpenFile(folder / "block.tif");
  const TiffDirectory first = ReadTiffDirectory(block).value();
  CHECK_FALSE(first.big);
  REQUIRE(first.Find(34665) != nullptr);
  CHECK(first.Find(34665)->type == 4);  // 32 bits, as every reader takes it
  CHECK(ReadTiffDirectory(block, first.Value(34665).value()).value().Value(34855) == 400U);
}

TEST_CASE("outputs of a TIFF carry its camera and dates, and lie upright") {
  const TemporaryFolder folder;
  for (const std::string name : {"low_byte_first.tif", "high_byte_first.tif"}) {
    for (const FileFormat format : {FileFormat::kJpeg, FileFormat::kPng, FileFormat::kWebp}) {
      const Image upright = ReadAll(kFiles + name, {});
      WriteOptions options;
      options.format = format;
      const std::string path = folder / ("out" + std::string(Extension(format)));
      CAPTURE(path);
      const auto writer = CreateRows(path, upright.layout(), options, kFiles + name).value();
      REQUIRE(writer->Write({upright.row(0), upright.layout(), upright.layout().row_bytes()}).ok());
      REQUIRE(writer->Finish().ok());
      const std::string bytes = ReadFile(path);
      for (const char* text :
           {"Millmaker", "Mill 3", "A. Miller", "2021:03:04 05:06:07", "A lens of some length", "wheat"})
        CHECK_MESSAGE(bytes.find(text) != std::string::npos, text);
      CHECK(Probe(path, {}).value().orientation == 1);
    }
  }
}

TEST_CASE("EXIF of a TIFF that is too large for a JPEG leaves out what does not fit") {
  const TemporaryFolder folder;
  const std::string whole = ReadFile(kFiles + "low_byte_first.tif");
  // A description of 64 KiB and more, behind the file's end.
  const std::string entry("\x0e\x01\x02\0", 4);  // tag 270, text
  const size_t at = whole.find(entry);
  REQUIRE(at != std::string::npos);
  std::string bytes = whole + std::string(70000, 'w');
  const auto put = [&](size_t where, uint64_t value) {
    for (size_t i = 0; i < 4; ++i) bytes[where + i] = static_cast<char>(value >> (8 * i));
  };
  put(at + 4, 69000);
  put(at + 8, whole.size());
  WriteFile(folder / "large.tif", bytes);
  const std::vector<uint8_t> exif = ExifOfTiff(OpenFile(folder / "large.tif"));
  const std::string text(exif.begin(), exif.end());
  CHECK(exif.size() < 65533);
  CHECK(text.find("Millmaker") != std::string::npos);
  CHECK(text.find("wwww") == std::string::npos);
}
