// The table of image formats: what is stored and what the documents say agrees with it, and first bytes are
// told apart as the formats' own documents define them.
#include "imgmill/base/image_format.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace imgmill;
using namespace std::literals;

namespace {

std::string FormatsDocument() {
  std::ifstream file(IMGMILL_SOURCE_DIR "/docs/formats.md");
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::multiset<std::string> Words(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

}  // namespace

TEST_CASE("the extensions of the table are those of docs/formats.md, and each belongs to one format") {
  const std::string document = FormatsDocument();
  size_t at = 0;
  const auto next_list = [&] {
    const size_t from = document.find("\n`.", at) + 2;
    at = document.find('`', from);
    return document.substr(from, at - from);
  };
  std::string images;
  for (const FormatFacts& facts : kImageFormats) {
    if (facts.format != ImageFormat::kVideo) images.append(facts.extensions).append(" ");
  }
  CHECK(Words(next_list()) == Words(images));
  CHECK(Words(next_list()) == Words(std::string(FactsOf(ImageFormat::kVideo).extensions)));
}

TEST_CASE("every format that is read has its title in docs/formats.md") {
  const std::string document = FormatsDocument();
  for (const FormatFacts& facts : kImageFormats) {
    CAPTURE(facts.name);
    CHECK(facts.title.empty() == (facts.reader == FormatReader::kNobody));
    CHECK(document.find(facts.title) != std::string::npos);
  }
}

TEST_CASE("the names under which costs were learned stay as they are") {
  std::vector<std::string_view> names;
  for (const FormatFacts& facts : kImageFormats) names.push_back(FormatName(facts.format));
  CHECK(names == std::vector<std::string_view>{"jpeg", "png", "webp", "tiff", "gif", "heif", "jxl", "jp2k",
                                               "ppm", "hdr", "exr", "bmp", "tga", "ico", "qoi", "dds", "sgi",
                                               "video", "unknown"});
}

TEST_CASE("a file's first bytes tell its format, and too few of them tell none") {
  const struct {
    std::string_view head;
    ImageFormat format;
    std::string_view title;
  } cases[] = {
      {"\xff\xd8\xff\xe0"sv, ImageFormat::kJpeg, ""},
      {"\x89PNG\r\n\x1a\n"sv, ImageFormat::kPng, "PNG"},
      {"RIFF\x10\0\0\0WEBPVP8 "sv, ImageFormat::kWebp, "WebP"},
      {"MM\0+\0\10\0\0"sv, ImageFormat::kTiff, "BigTIFF"},
      {"\0\0\0\x1c"
       "ftypavif"sv,
       ImageFormat::kHeif, "AVIF"},
      {"\0\0\0\x1c"
       "ftypmsf1"sv,
       ImageFormat::kHeif, ""},
      {"\0\0\0\x20"
       "ftypisom"sv,
       ImageFormat::kVideo, "an MP4 video"},
      {"\x1a\x45\xdf\xa3\1\0\0\0"sv, ImageFormat::kVideo, "a Matroska or WebM video"},
      {"RIFF\x10\0\0\0AVI LIST"sv, ImageFormat::kVideo, "an AVI video"},
      {"\0\0\0\x0cjP  \r\n\x87\n"sv, ImageFormat::kJp2k, "JPEG 2000"},
      {"P5 2 2 255 "sv, ImageFormat::kPnm, ""},
      {"Pf\n2 2\n-1\n"sv, ImageFormat::kPnm, ""},
      {"P7\nWIDTH 2\n"sv, ImageFormat::kPnm, ""},
      {"P7 332\n"sv, ImageFormat::kOther, ""},  // of xv, which is another format
      {"#?RGBE\n"sv, ImageFormat::kHdr, ""},
      {"RIFF\x10\0\0\0WAVE"sv, ImageFormat::kOther, ""},
      {"RIFF"sv, ImageFormat::kOther, ""},
      {"DDS \x7c\0\0\0"sv, ImageFormat::kDds, "DDS"},
      {"\x01\xda\1\1\0\3"sv, ImageFormat::kSgi, ""},
      {"\x89PN"sv, ImageFormat::kOther, ""},
      {""sv, ImageFormat::kOther, ""},
  };
  for (const auto& [head, format, title] : cases) {
    CAPTURE(std::string(head));
    const Signature found = SignatureOf(head);
    CHECK(found.format == format);
    CHECK(found.title == title);
    CHECK(found.pattern.empty() == (format == ImageFormat::kOther));
  }
}
