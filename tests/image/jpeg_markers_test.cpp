// JPEGs with more markers than anybody needs: what is used of them is read, the rest takes no memory.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "image/jpeg/jpeg_decoder.h"
#include "image_test.h"

namespace imgmill::image_test {
namespace {

constexpr size_t kLongest = 65533;

std::string Marker(int number, const std::string& content) {
  const size_t length = content.size() + 2;
  return {'\xFF', static_cast<char>(0xE0 + number), static_cast<char>(length >> 8),
          static_cast<char>(length)};
}

std::string Whole(int number, const std::string& content) {
  return Marker(number, content) + content;
}

/// Little-endian, with one entry: an orientation of 6.
std::string Exif() {
  using namespace std::string_literals;
  return "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"s;
}

std::string Part(int number, int of, const std::string& content) {
  return std::string("ICC_PROFILE") + '\0' + static_cast<char>(number) + static_cast<char>(of) + content;
}

/// A grey JPEG with these bytes behind its first marker.
std::string Written(const TemporaryFolder& folder, const std::string& markers) {
  const Layout layout{16, 16, 1, Sample::kU8};
  WriteOptions options;
  options.format = FileFormat::kJpeg;
  const std::unique_ptr<RowWriter> writer = CreateRows(folder / "plain.jpg", layout, options, "").value();
  REQUIRE(writer->Write(Image(layout).view()));
  REQUIRE(writer->Finish());
  const std::string plain = ReadFile(folder / "plain.jpg");
  const std::string path = folder / "marked.jpg";
  WriteFile(path, plain.substr(0, 2) + markers + plain.substr(2));
  return path;
}

std::unique_ptr<JpegDecoder> Opened(const std::string& path) {
  Result<InputFile> file = InputFile::Open(path, Stage::kProbe);
  REQUIRE(file);
  return JpegDecoder::Open(*std::move(file), Stage::kProbe).value();
}

}  // namespace

TEST_CASE("what is used of a JPEG's markers is found among any number of others, which take no memory") {
  const TemporaryFolder folder;
  std::string others;
  for (int i = 0; i < 300; ++i)
    others += Whole(1 + i % 2, std::string(kLongest, static_cast<char>('a' + i % 26)));
  const std::string profile = "a profile in two parts";
  const std::string path =
      Written(folder, others + Whole(1, Exif()) + others + Whole(2, Part(2, 2, profile.substr(9))) +
                          Whole(2, Part(1, 2, profile.substr(0, 9))) + Whole(1, "Exif") + others);
  REQUIRE(Probe(path, {}));  // whatever is set up once
  const MemoryGrowth growth;
  const std::unique_ptr<JpegDecoder> decoder = Opened(path);
  CHECK(growth.Bytes() < (size_t{8} << 20));  // of 59 MB
  CHECK(decoder->orientation() == 6);
  const std::vector<uint8_t> found = decoder->IccProfile();
  CHECK(std::string(found.begin(), found.end()) == profile);
  const ImageHeader header = Probe(path, {}).value();
  CHECK(header.orientation == 6);
  CHECK(header.has_icc);
  CHECK(header.decoder_tables > 900 * int64_t{kLongest});
  // Who copies metadata has libvips read all of them.
  CHECK(ReadFootprint(header, {}).untracked > 900 * kLongest);
  ReadAll(path, {});
}

TEST_CASE("the first EXIF block counts, and a second one is not kept") {
  const TemporaryFolder folder;
  std::string second = Exif();
  second[24] = 3;
  const std::unique_ptr<JpegDecoder> decoder =
      Opened(Written(folder, Whole(1, Exif()) + Whole(1, second) + Whole(1, std::string("Exif\0\0", 6))));
  CHECK(decoder->orientation() == 6);
  int kept = 0;
  for (jpeg_saved_marker_ptr each = decoder->info().marker_list; each != nullptr; each = each->next) ++kept;
  CHECK(kept == 1);
}

TEST_CASE("a profile of more parts than there can be is none, and no more of them are kept") {
  const TemporaryFolder folder;
  std::string parts;
  for (int i = 0; i < 600; ++i) parts += Whole(2, Part(1 + i % 255, 255, std::string(kLongest - 14, 'p')));
  const std::string path = Written(folder, parts);
  REQUIRE(Probe(path, {}));
  const MemoryGrowth growth;
  const std::unique_ptr<JpegDecoder> decoder = Opened(path);
  CHECK(growth.Bytes() < (size_t{24} << 20));  // of 39 MB
  CHECK(decoder->IccProfile().empty());
  // As many as there can be are a profile.
  std::string whole;
  for (int i = 1; i <= 255; ++i) whole += Whole(2, Part(i, 255, std::string(1, static_cast<char>(i))));
  CHECK(Opened(Written(folder, whole))->IccProfile().size() == 255);
}

TEST_CASE("markers whose length is wrong end or are passed over as libjpeg does") {
  const TemporaryFolder folder;
  using namespace std::string_literals;
  for (const std::string& empty : {"\xFF\xE1\0\2"s, "\xFF\xE2\0\0"s, "\xFF\xE1\0\1"s}) {
    CAPTURE(empty);
    const std::string path = Written(folder, empty + Whole(1, Exif()));
    CHECK(Opened(path)->orientation() == 6);
  }
  const std::string path = Written(folder, Whole(1, Exif()));
  const std::string bytes = ReadFile(path);
  WriteFile(path, bytes.substr(0, 20));  // in the midst of the block
  const Result<ImageHeader> header = Probe(path, {});
  REQUIRE(!header);
  CHECK(header.error().code == Code::kTruncated);
}

}  // namespace imgmill::image_test
