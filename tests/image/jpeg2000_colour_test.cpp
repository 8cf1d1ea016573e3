// Samples of JPEG 2000 that are luma and chroma, by the number in the box `colr` (ISO 15444-1, table I.10).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "image/vips_session.h"
#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

constexpr int kWidth = 61, kHeight = 43, kBands = 3;
constexpr char kRgb = 16, kYcc = 18, kExtendedYcc = 24;

/// A lossless JP2 of these samples, as sRGB.
template <typename T>
void WriteJp2(const std::string& path, const std::vector<T>& samples) {
  const ImageRef image(
      vips_image_new_from_memory_copy(samples.data(), samples.size() * sizeof(T), kWidth, kHeight, kBands,
                                      sizeof(T) == 1 ? VIPS_FORMAT_UCHAR : VIPS_FORMAT_USHORT));
  ImageRef named;
  REQUIRE(vips_copy(image.get(), named.out(), "interpretation",
                    sizeof(T) == 1 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_RGB16, nullptr) == 0);
  REQUIRE(vips_jp2ksave(named.get(), path.c_str(), "lossless", TRUE, nullptr) == 0);
}

/// The file with another number for its colours.
void Renumber(const std::string& path, char number) {
  std::string bytes = ReadFile(path);
  const size_t at = bytes.find("colr") + 4 + 6;
  REQUIRE(bytes[at] == kRgb);
  bytes[at] = number;
  WriteFile(path, bytes);
}

template <typename T>
std::vector<T> SomeSamples() {
  std::vector<T> samples;
  uint32_t state = 1;
  for (int i = 0; i < kWidth * kHeight * kBands; ++i) {
    state = state * 1664525 + 1013904223;
    samples.push_back(static_cast<T>(state >> 8));
  }
  return samples;
}

/// Largest difference from what IEC 61966-2-1, annex G, makes of the samples, rounded.
template <typename T>
double LargestDifference(const Image& image, const std::vector<T>& samples) {
  const double middle = std::pow(2, 8 * sizeof(T) - 1), most = 2 * middle - 1;
  double largest = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const auto at = static_cast<size_t>(y * kWidth + x) * kBands;
      const double luma = samples[at], cb = samples[at + 1] - middle, cr = samples[at + 2] - middle;
      const double wanted[] = {luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb};
      const T* row = reinterpret_cast<const T*>(image.row(y));
      for (int band = 0; band < kBands; ++band) {
        const double value = std::clamp(std::floor(wanted[band] + 0.5), 0.0, most);
        largest = std::max(largest, std::abs(row[x * kBands + band] - value));
      }
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("sYCC of which no colour is left out becomes sRGB, and sRGB stays what it is") {
  const TemporaryFolder folder;
  const std::vector<uint8_t> samples = SomeSamples<uint8_t>();
  WriteJp2(folder / "a.jp2", samples);
  const Image stored = ReadAll(folder / "a.jp2", {});
  for (int y = 0; y < kHeight; ++y)
    CHECK(std::equal(stored.row(y), stored.row(y) + kWidth * kBands,
                     &samples[static_cast<size_t>(y * kWidth * kBands)]));
  Renumber(folder / "a.jp2", kYcc);
  CHECK(LargestDifference(ReadAll(folder / "a.jp2", {}), samples) == 0);
}

TEST_CASE("sYCC of 16 bits becomes sRGB of 16 bits") {
  const TemporaryFolder folder;
  const std::vector<uint16_t> samples = SomeSamples<uint16_t>();
  WriteJp2(folder / "a.jp2", samples);
  Renumber(folder / "a.jp2", kYcc);
  const Image image = ReadAll(folder / "a.jp2", {});
  REQUIRE(image.layout().sample == Sample::kU16);
  CHECK(LargestDifference(image, samples) <= 1);  // libvips counts in float
}

TEST_CASE("e-sYCC is refused, by name") {
  const TemporaryFolder folder;
  WriteJp2(folder / "a.jp2", SomeSamples<uint8_t>());
  Renumber(folder / "a.jp2", kExtendedYcc);
  const Result<ImageHeader> header = Probe(folder / "a.jp2", {});
  REQUIRE(!header);
  CHECK(header.error().code == Code::kUnsupported);
  CHECK(header.error().message.find("e-sYCC") != std::string::npos);
}
