// PNM beyond the corpus: pictures larger than what is read at once, ends that are missing, and headers made
// to waste time. Expected values are arithmetic on what is written here.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

Image ReadWhole(const std::string& path) {
  const ImageHeader header = Probe(path, {}).value();
  return TakeAll(*OpenRows(path, header, {}).value());
}

float Encoded(float linear) {  // IEC 61966-2-1
  return linear <= 0.0031308F ? linear * 12.92F : 1.055F * std::pow(linear, 1 / 2.4F) - 0.055F;
}

}  // namespace

TEST_CASE("a PNM picture of megabytes has every pixel in its place, in text and bytes") {
  const TemporaryFolder folder;
  constexpr int kWidth = 1203;
  constexpr int kHeight = 700;
  const auto value = [](int x, int y) { return (x * 31 + y * 17) % 60000; };
  std::string raw = "P5\n1203 700\n65535\n";
  std::string text = "P2\n1203 700\n# none\n65535\n";
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      raw += {static_cast<char>(value(x, y) >> 8), static_cast<char>(value(x, y))};
      text += std::to_string(value(x, y)) + (x % 11 == 0 ? " # between\n" : " ");
    }
  }
  for (const std::string& bytes : {raw, text}) {
    WriteFile(folder / "large", bytes);
    const Image image = ReadWhole(folder / "large");
    REQUIRE(image.layout() == Layout{kWidth, kHeight, 1, Sample::kU16});
    bool same = true;
    for (int y = 0; y < kHeight; ++y) {
      const auto* row = reinterpret_cast<const uint16_t*>(image.row(y));
      for (int x = 0; x < kWidth; ++x) same = same && row[x] == value(x, y);
    }
    CHECK(same);
  }
}

TEST_CASE("a PFM picture of megabytes is read from its end upwards") {
  const TemporaryFolder folder;
  constexpr int kWidth = 501;
  constexpr int kHeight = 400;
  std::string bytes = "PF\n501 400\n-1\n";
  for (int i = 0; i < kWidth * kHeight * 3; ++i) {
    const float value = static_cast<float>(i % 4099) / 4099;
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  WriteFile(folder / "large.pfm", bytes);
  const Image image = ReadWhole(folder / "large.pfm");
  REQUIRE(image.layout() == Layout{kWidth, kHeight, 3, Sample::kF32});
  float most = 0;
  for (int y = 0; y < kHeight; ++y) {
    const auto* row = reinterpret_cast<const float*>(image.row(y));
    for (int i = 0; i < kWidth * 3; ++i) {
      const int stored = (kHeight - 1 - y) * kWidth * 3 + i;
      most = std::max(most, std::fabs(row[i] - Encoded(static_cast<float>(stored % 4099) / 4099)));
    }
  }
  CHECK(most < 1e-5F);
  CHECK(Probe(folder / "large.pfm", {}).value().sequential);
}

TEST_CASE("of a PNM file that ends early, what is there is kept on request, and the rest is black") {
  const TemporaryFolder folder;
  ReadOptions lenient;
  lenient.allow_truncated = true;
  struct Cut {
    std::string bytes;
    std::vector<int> pixels;
  };
  for (const Cut& cut : {Cut{"P2\n2 3\n255\n1 2 3   \n", {1, 2, 3, 0, 0, 0}},
                         Cut{"P2\n2 3\n255\n1 2 x 5 7 8\n", {1, 2, 0, 0, 0, 0}},
                         Cut{std::string("P2\n2 3\n255\n1 2 3\0\0\0\0\0\0\0\0", 22), {1, 2, 0, 0, 0, 0}},
                         Cut{"P1\n2 3\n10011 ", {0, 255, 255, 0, 0, 0}},
                         Cut{"P5\n2 3\n255\n\1\2\3\4\5", {1, 2, 3, 4, 0, 0}}}) {
    CAPTURE(cut.bytes);
    WriteFile(folder / "cut", cut.bytes);
    const ImageHeader header = Probe(folder / "cut", {}).value();
    const std::unique_ptr<RowReader> rows = OpenRows(folder / "cut", header, lenient).value();
    const Image image = TakeAll(*rows);
    for (size_t i = 0; i < cut.pixels.size(); ++i) {
      CHECK(image.row(static_cast<int64_t>(i) / 2)[i % 2] == cut.pixels[i]);
    }
    REQUIRE(rows->notes().size() == 1);
    CHECK(rows->notes()[0].find(" rows could be read; the rest is black: ") != std::string::npos);
    Result<std::unique_ptr<RowReader>> strict = OpenRows(folder / "cut", header, {});
    std::vector<uint8_t> pixels(6);
    CHECK(!(strict && (*strict)->Read(3, pixels.data(), 2)));
  }
}

TEST_CASE("a header of a megabyte is refused, and what merely begins with P and a digit is no picture") {
  const TemporaryFolder folder;
  for (const char* start : {"P5\n", "P7\n"}) {
    WriteFile(folder / "long", start + ("#" + std::string(size_t{3} << 20, 'x')) + "\n2 1\n255\n\1\2");
    const Result<ImageHeader> header = Probe(folder / "long", {});
    REQUIRE(!header);
    CHECK(header.error().code == Code::kMalformed);
  }
  for (const std::string text : {"P5.1 is a version", "P7 is a part of Lisbon", "P8\n2 1\n255\n\1\2", "P"}) {
    WriteFile(folder / "text", text);
    const Result<ImageHeader> header = Probe(folder / "text", {});
    REQUIRE(!header);
    CHECK(header.error().code == Code::kUnknownFormat);
  }
}
