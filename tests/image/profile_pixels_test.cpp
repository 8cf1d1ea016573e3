// What a profile makes of the samples of a file: by the curves' own formulas.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "image/profile_builder.h"
#include "image/vips_session.h"
#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;
using namespace profile_builder;

namespace {

constexpr int kWidth = 67, kHeight = 5;

// IEC 61966-2-1, 5.2.
double Encoded(double linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}

/// Rows of equal values from 0 to 1, of `bands` bands.
std::vector<float> Ramp(int bands) {
  std::vector<float> values;
  for (int i = 0; i < kWidth * kHeight; ++i)
    values.insert(values.end(), static_cast<size_t>(bands), static_cast<float>(i % kWidth) / (kWidth - 1));
  return values;
}

ImageRef WithProfile(const ImageRef& image, const std::string& profile) {
  ImageRef own;
  REQUIRE(vips_copy(image.get(), own.out(), nullptr) == 0);
  vips_image_set_blob_copy(own.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  return own;
}

void WriteFloat(const std::string& path, const std::string& profile) {
  const std::vector<float> ramp = Ramp(3);
  const ImageRef image(vips_image_new_from_memory_copy(ramp.data(), ramp.size() * sizeof(float), kWidth,
                                                       kHeight, 3, VIPS_FORMAT_FLOAT));
  const ImageRef written = profile.empty() ? image.share() : WithProfile(image, profile);
  REQUIRE(vips_image_write_to_file(written.get(), path.c_str(), nullptr) == 0);
}

/// Largest difference of the pixels from function(value of the ramp), in a float image.
template <typename Function>
double LargestDifference(const Image& image, const Function& function) {
  double largest = 0;
  for (int x = 0; x < kWidth * 3; ++x) {
    const float value = reinterpret_cast<const float*>(image.row(2))[x];
    largest = std::max(largest, std::abs(value - function(static_cast<double>(x / 3) / (kWidth - 1))));
  }
  return largest;
}

}  // namespace

TEST_CASE("float samples are linear light, unless a profile says what they are") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.tif";
  const auto as_is = [](double v) { return v; };
  ReadOptions kept;
  kept.keep_profile = true;
  WriteFloat(path, "");
  CHECK(LargestDifference(ReadAll(path, {}), Encoded) < 1e-5);
  CHECK(LargestDifference(ReadAll(path, kept), Encoded) < 1e-5);
  // 16 bits lie between where a profile is applied.
  WriteFloat(path, Profile(Points({0x0100})));
  CHECK(LargestDifference(ReadAll(path, {}), Encoded) < 2e-3);
  CHECK(LargestDifference(ReadAll(path, kept), as_is) < 1e-6);
  WriteFloat(path, Profile(Points({0x0200})));
  CHECK(LargestDifference(ReadAll(path, {}), [](double v) { return Encoded(v * v); }) < 4e-3);
  CHECK(LargestDifference(ReadAll(path, kept), as_is) < 1e-6);
  WriteFloat(path, Profile(Formula(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)));
  CHECK(LargestDifference(ReadAll(path, {}), as_is) < 1e-6);
}

TEST_CASE("grey looks the same in formats that hold it as RGB") {
  const TemporaryFolder folder;
  std::vector<uint8_t> ramp;
  for (int i = 0; i < 256 * 4; ++i) ramp.push_back(static_cast<uint8_t>(i));
  const ImageRef image(
      vips_image_new_from_memory_copy(ramp.data(), ramp.size(), 256, 4, 1, VIPS_FORMAT_UCHAR));
  const ImageRef dark = WithProfile(image, GreyProfile(Points({0x01CD})));  // gamma 1.8
  const std::string source = folder / "a.png";
  REQUIRE(vips_image_write_to_file(dark.get(), source.c_str(), nullptr) == 0);
  const Image shown = ReadAll(source, {});
  ReadOptions raw;
  raw.keep_profile = true;
  const Image stored = ReadAll(source, raw);
  REQUIRE(stored.row(0)[100] == 100);
  REQUIRE(std::abs(shown.row(0)[100] - 255 * Encoded(std::pow(100 / 255.0, 1.8))) <= 1);
  for (const FileFormat format : {FileFormat::kPng, FileFormat::kWebp, FileFormat::kAvif, FileFormat::kJxl}) {
    CAPTURE(Title(format));
    WriteOptions options;
    options.format = format;
    options.quality = 100;
    options.profile_kept = true;
    const std::string path = folder / ("b" + std::string(Extension(format)));
    auto writer = CreateRows(path, stored.layout(), options, source);
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Write(stored.view()).ok());
    REQUIRE((*writer)->Finish().ok());
    const Image read = ReadAll(path, {});
    int largest = 0;
    for (int x = 0; x < 256; ++x)
      largest = std::max(largest, std::abs(read.row(1)[x * read.layout().bands] - shown.row(1)[x]));
    CHECK(largest <= 1);
  }
}

TEST_CASE("a JPEG XL whose profile cannot be read back is refused, and others are not") {
  const TemporaryFolder folder;
  const std::vector<uint8_t> grey(64 * 64 * 3, 90);
  const ImageRef image(
      vips_image_new_from_memory_copy(grey.data(), grey.size(), 64, 64, 3, VIPS_FORMAT_UCHAR));
  WriteOptions options;
  options.format = FileFormat::kJxl;
  options.quality = 100;
  options.profile_kept = true;
  if (!CanWrite(options.format)) return;
  ReadOptions raw;
  raw.keep_profile = true;
  for (const size_t padding : {size_t{0}, size_t{1} << 18}) {
    CAPTURE(padding);
    const ImageRef padded =
        WithProfile(image, OfTags("RGB ", {{"rTRC", Points({0x0200})}, {"pads", std::string(padding, 'x')}}));
    const std::string source = folder / "a.png", path = folder / "a.jxl";
    REQUIRE(vips_image_write_to_file(padded.get(), source.c_str(), nullptr) == 0);
    const Image stored = ReadAll(source, raw);
    auto writer = CreateRows(path, stored.layout(), options, source);
    REQUIRE(writer.ok());
    Status written = (*writer)->Write(stored.view());
    if (written) written = (*writer)->Finish();
    writer->reset();
    // What is called done can be read; libjxl 0.7 writes a file for the largest, too.
    CHECK(written.ok() == Probe(path, {}).ok());
    if (padding == 0) CHECK(written.ok());
    if (!written) CHECK(written.error().message.find("colour profile") != std::string::npos);
  }
}
