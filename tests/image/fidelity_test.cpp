// How little an encoder gave up, told from headers: in the order in which the files were encoded.
#include <doctest/doctest.h>

#include <filesystem>

#include "image/image_test.h"
#include "imgmill/image/fidelity_scale.h"

namespace imgmill::image_test {
namespace {

constexpr int64_t kSide = 48;

Image Noise(int bands, Sample sample) {
  Image image(Layout{kSide, kSide, bands, sample});
  uint32_t seed = 1;
  for (int64_t y = 0; y < kSide; ++y) {
    for (size_t i = 0; i < image.layout().row_bytes(); ++i) {
      seed = seed * 1664525U + 1013904223U;
      image.row(y)[i] = static_cast<uint8_t>(seed >> 24);
    }
  }
  return image;
}

uint32_t FidelityOfFile(const std::string& path) {
  Result<ImageHeader> header = Probe(path, {});
  REQUIRE_MESSAGE(header.ok(), path);
  return header->fidelity;
}

uint32_t Written(FileFormat format, int quality, int bands = 3, Sample sample = Sample::kU8) {
  const TemporaryFolder folder;
  WriteOptions options;
  options.format = format;
  options.quality = quality;
  const Image image = Noise(bands, sample);
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(folder / "x", image.layout(), options, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
  return FidelityOfFile(folder / "x");
}

}  // namespace

TEST_CASE("a higher JPEG quality is less compressed, at every step") {
  uint32_t before = 0;
  for (int quality = 1; quality <= 100; ++quality) {
    CAPTURE(quality);
    const uint32_t now = Written(FileFormat::kJpeg, quality);
    // Below 20 most steps are at the end of their range, and neighbours may round to one number.
    if (quality > 20) CHECK(now > before);
    CHECK(now >= before);
    before = now;
  }
}

TEST_CASE("lossless is above lossy, and goes by the bits of a sample, then by alpha") {
  const uint32_t png = Written(FileFormat::kPng, 90);
  CHECK(Written(FileFormat::kTiff, 90) == png);
  CHECK(Written(FileFormat::kWebp, 100) == png);
  CHECK(Written(FileFormat::kPng, 90, 3, Sample::kU16) > png);
  CHECK(Written(FileFormat::kPng, 90, 4) > png);
  CHECK(Written(FileFormat::kPng, 90, 3, Sample::kU16) > Written(FileFormat::kPng, 90, 4));
  CHECK(Written(FileFormat::kPng, 90, 1) == png);  // whether colours matter, pixels tell
  CHECK(Written(FileFormat::kPng, 90, 1) > Written(FileFormat::kJpeg, 100));
  CHECK(Written(FileFormat::kPng, 90, 1) > Written(FileFormat::kWebp, 99));
}

TEST_CASE("lossy WebP, which does not tell its quality, lies between JPEG of 74 and of 75") {
  for (const int quality : {10, 99}) {
    for (const int bands : {3, 4}) {  // with alpha the picture lies in a chunk of an extended file
      CHECK(Written(FileFormat::kWebp, quality, bands) < Written(FileFormat::kJpeg, 75, 3));
      CHECK(Written(FileFormat::kWebp, quality, bands) > Written(FileFormat::kJpeg, 74, 1));
    }
  }
}

TEST_CASE("JPEG XL and AVIF are lossless where their headers say so") {
  const uint32_t png = Written(FileFormat::kPng, 90);
  const uint32_t png_16 = Written(FileFormat::kPng, 90, 3, Sample::kU16);
  const uint32_t webp = Written(FileFormat::kWebp, 90);
  int exact = 0, lossy = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(IMGMILL_SOURCE_DIR "/tests/corpus/files/lossless")) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".tsv")) continue;
    CAPTURE(name);
    const uint32_t fidelity = FidelityOfFile(entry.path().string());
    if (name.starts_with("exact_")) {
      const bool alpha = name.find("alpha") != std::string::npos;
      CHECK(fidelity == (name == "exact_16.jxl" ? png_16 : alpha ? Written(FileFormat::kPng, 90, 4) : png));
      ++exact;
    } else {
      CHECK(fidelity == webp);
      ++lossy;
    }
  }
  CHECK(exact == 14);
  CHECK(lossy == 10);
  CHECK(Written(FileFormat::kJxl, 100) == png);
  CHECK(Written(FileFormat::kAvif, 100) == png);
  CHECK(Written(FileFormat::kJxl, 99) == webp);
  CHECK(Written(FileFormat::kAvif, 99) == webp);
}

TEST_CASE("without colours a JPEG counts like a grey one of its quality") {
  CHECK(Written(FileFormat::kJpeg, 80, 3) > Written(FileFormat::kJpeg, 80, 1));
  CHECK(FidelityWithoutColour(Written(FileFormat::kJpeg, 80, 3)) == Written(FileFormat::kJpeg, 80, 1));
  CHECK(FidelityWithoutColour(Written(FileFormat::kPng, 90, 3)) == Written(FileFormat::kPng, 90, 1));
}

TEST_CASE(
    "few colours are worth a JPEG: 256 one between the qualities 30 and 95, fewer less, more nothing else") {
  const uint32_t png = Written(FileFormat::kPng, 90);
  CHECK(FidelityOfFewColours(png, 256, true) > Written(FileFormat::kJpeg, 30));
  CHECK(FidelityOfFewColours(png, 256, true) < Written(FileFormat::kJpeg, 95));
  CHECK(FidelityOfFewColours(png, 257, true) == png);
  CHECK(FidelityOfFewColours(png, 65, false) == png);
  for (int colours = 2; colours <= 256; ++colours) {
    for (const bool shows : {true, false}) {
      CHECK(FidelityOfFewColours(png, colours - 1, shows) <= FidelityOfFewColours(png, colours, shows));
    }
  }
}

}  // namespace imgmill::image_test
