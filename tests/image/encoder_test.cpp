// Pictures encoded in memory hold what the row writer would have written.
#include "imgmill/image/encoder.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "image/image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

Image Gradient(int bands, Sample sample) {
  Image image(Layout{60, 44, bands, sample});
  uint32_t seed = 7;
  for (int64_t y = 0; y < 44; ++y) {
    for (int64_t i = 0; i < 60 * bands; ++i) {
      seed = seed * 1664525u + 1013904223u;
      const auto value = static_cast<uint16_t>((i * 900 + y * 700 + (seed >> 22)) & 0xFFFF);
      if (sample == Sample::kU8) {
        image.row(y)[i] = static_cast<uint8_t>(value >> 8);
      } else {
        reinterpret_cast<uint16_t*>(image.row(y))[i] = value;
      }
    }
  }
  return image;
}

std::vector<const uint8_t*> RowsOf(const Image& image) {
  std::vector<const uint8_t*> rows;
  for (int64_t y = 0; y < image.layout().height; ++y) rows.push_back(image.row(y));
  return rows;
}

Image ByWriter(const std::string& path, const Image& image, const WriteOptions& options) {
  auto writer = CreateRows(path, image.layout(), options, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
  return ReadAll(path, {});
}

/// What a reader with, or without, ReadOptions::keep_profile is written with.
WriteOptions Kept(bool profile_kept) {
  WriteOptions options;
  options.profile_kept = profile_kept;
  return options;
}

}  // namespace

TEST_CASE(
    "an encoder in memory writes what the row writer does, in every format, depth and number of bands") {
  const TemporaryFolder folder;
  for (const FileFormat format : {FileFormat::kPng, FileFormat::kJpeg, FileFormat::kWebp, FileFormat::kTiff,
                                  FileFormat::kJxl, FileFormat::kAvif}) {
    for (const int quality : {85, 90, 100}) {
      for (const Sample sample : {Sample::kU8, Sample::kU16}) {
        for (int bands = 1; bands <= 4; ++bands) {
          WriteOptions options;
          options.format = format;
          options.quality = quality;
          CAPTURE(Extension(format));
          CAPTURE(quality);
          CAPTURE(bands);
          CAPTURE(BytesPerSample(sample));
          const Image image = Gradient(bands, sample);
          const Image expected = ByWriter(folder / "writer", image, options);
          auto encoder = ImageEncoder::Create(image.layout(), options, {});
          REQUIRE(encoder.ok());
          for (int round = 0; round < 2; ++round) {  // the second picture is like the first
            auto bytes = (*encoder)->Encode(RowsOf(image));
            REQUIRE(bytes.ok());
            WriteFile(folder / "encoder", {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
            const Image found = ReadAll(folder / "encoder", {});
            REQUIRE(found.layout() == expected.layout());
            CHECK(Checksum(found) == Checksum(expected));
          }
          const bool lossy = format != FileFormat::kPng && format != FileFormat::kTiff &&
                             format != FileFormat::kJxl &&
                             (sample != Sample::kU8 || (format == FileFormat::kJpeg && bands % 2 == 0));
          CHECK((*encoder)->notes().empty() != lossy);
        }
      }
    }
  }
}

TEST_CASE("WebP's effort is the encoder's: more of it makes other, smaller files of the same pixels") {
  const Image image = Gradient(3, Sample::kU8);
  const TemporaryFolder folder;
  for (const int quality : {80, 100}) {
    CAPTURE(quality);
    std::map<int, std::vector<uint8_t>> files;
    for (const int effort : {kUsualEffort, 0, 4, 6}) {
      WriteOptions options;
      options.format = FileFormat::kWebp;
      options.quality = quality;
      options.effort = effort;
      auto encoder = ImageEncoder::Create(image.layout(), options, {});
      REQUIRE(encoder.ok());
      const auto bytes = (*encoder)->Encode(RowsOf(image));
      REQUIRE(bytes.ok());
      files[effort].assign(bytes->begin(), bytes->end());
      // By rows, too.
      const std::string path = folder / "rows.webp";
      const Image read = ByWriter(path, image, options);
      std::ifstream file(path, std::ios::binary);
      const std::vector<uint8_t> written{std::istreambuf_iterator<char>(file), {}};
      CHECK(written == files[effort]);
      bool same = read.layout() == image.layout();
      for (int64_t y = 0; same && y < image.layout().height; ++y)
        same = std::equal(image.row(y), image.row(y) + image.layout().row_bytes(), read.row(y));
      CHECK(same == (quality == 100));
    }
    CHECK(files[kUsualEffort] == files[4]);  // libwebp's own choice: WebPConfigInit sets method 4
    CHECK(files[6].size() < files[0].size());
    CHECK(files[6] != files[4]);
  }
}

TEST_CASE("a colour profile is in each picture, and read from a source only where it describes the rows") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  std::string source;
  for (const std::string& path : AssetFiles({"odd"})) {
    const auto header = Probe(path, {});
    if (header && header->has_icc && !header->cmyk && header->bands == 3 &&
        header->format == ImageFormat::kJpeg)
      source = path;
  }
  REQUIRE_FALSE(source.empty());
  const Image image = Gradient(3, Sample::kU8);
  std::vector<std::string> notes;
  const std::vector<uint8_t> profile = ReadProfileOf(source, image.layout(), Kept(true), notes);
  REQUIRE(profile.size() > 128);
  CHECK(std::string(profile.begin() + 36, profile.begin() + 40) == "acsp");  // ICC.1:2010, 7.2.9
  CHECK(notes.empty());
  CHECK(ReadProfileOf(source, Gradient(1, Sample::kU8).layout(), Kept(true), notes).empty());
  CHECK(notes.size() == 1);
  notes.clear();
  for (const FileFormat format : {FileFormat::kPng, FileFormat::kJpeg, FileFormat::kWebp, FileFormat::kTiff,
                                  FileFormat::kJxl, FileFormat::kAvif}) {
    WriteOptions options;
    options.format = format;
    if (format == FileFormat::kJxl) options.quality = 100;  // libjxl gives the colours of lossy ones as sRGB
    auto encoder = ImageEncoder::Create(image.layout(), options, {profile});
    REQUIRE(encoder.ok());
    auto bytes = (*encoder)->Encode(RowsOf(image));
    REQUIRE(bytes.ok());
    const std::string path = folder / "tile";
    WriteFile(path, {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    CAPTURE(Title(format));
    const std::vector<uint8_t> found = ReadProfileOf(path, image.layout(), Kept(true), notes);
    CAPTURE(found.size());
    CHECK(found == profile);
  }
}

TEST_CASE("a picture larger than the format allows is refused before it is encoded") {
  WriteOptions options;
  options.format = FileFormat::kWebp;
  const auto refused = ImageEncoder::Create(Layout{16384, 8, 3, Sample::kU8}, options, {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kUnsupported);
}
