// Every file of tests/corpus reads as its row in expected.tsv says, or is refused as it says.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

struct Row {
  std::string file, outcome, pixels, notes, source;
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// All rows of all parts; `file` with its path.
std::vector<Row> Rows() {
  std::vector<Row> rows;
  for (const auto& part : std::filesystem::directory_iterator(IMGMILL_SOURCE_DIR "/tests/corpus/files")) {
    std::ifstream table(part.path() / "expected.tsv");
    REQUIRE_MESSAGE(table, part.path().string() << " has no expected.tsv");
    for (std::string line; std::getline(table, line);) {
      if (line.starts_with("#")) continue;
      const std::vector<std::string> fields = Split(line, '\t');
      REQUIRE_MESSAGE(fields.size() == 5, line);
      rows.push_back({part.path() / fields[0], fields[1], fields[2], fields[3], fields[4]});
    }
  }
  return rows;
}

std::string Text(const Layout& layout) {
  const char* sample = layout.sample == Sample::kU8 ? "u8" : layout.sample == Sample::kU16 ? "u16" : "f32";
  return std::to_string(layout.width) + "x" + std::to_string(layout.height) + " " +
         std::to_string(layout.bands) + " " + sample;
}

double ValueAt(const Image& image, int64_t x, int64_t y, int band) {
  const Layout& layout = image.layout();
  const int64_t i = x * layout.bands + band;
  switch (layout.sample) {
    case Sample::kU8:
      return image.row(y)[i];
    case Sample::kU16:
      return reinterpret_cast<const uint16_t*>(image.row(y))[i];
    case Sample::kF32:
      return static_cast<double>(reinterpret_cast<const float*>(image.row(y))[i]);
  }
  return 0;
}

/// "x,y=v,v,v~t"
void CheckPixel(const Image& image, const std::string& wanted) {
  CAPTURE(wanted);
  std::istringstream stream(wanted);
  int64_t x = 0;
  int64_t y = 0;
  char comma = 0;
  char equals = 0;
  stream >> x >> comma >> y >> equals;
  REQUIRE((stream && comma == ',' && equals == '='));
  REQUIRE((x < image.layout().width && y < image.layout().height));
  std::string values;
  stream >> values;
  const std::vector<std::string> parts = Split(values, '~');
  const double tolerance = parts.size() > 1 ? std::stod(parts[1]) : 0;
  const std::vector<std::string> bands = Split(parts[0], ',');
  REQUIRE(static_cast<int>(bands.size()) == image.layout().bands);
  for (int band = 0; band < image.layout().bands; ++band) {
    const double found = ValueAt(image, x, y, band);
    CAPTURE(band);
    CAPTURE(found);
    CHECK(std::abs(found - std::stod(bands[static_cast<size_t>(band)])) <= tolerance);
  }
}

/// The whole image, and the reader's notes, a line each.
Result<Image> ReadWhole(const std::string& path, std::string& notes) {
  Result<ImageHeader> header = Probe(path, {});
  if (!header) return header.error();
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, {});
  if (!rows) return rows.error();
  CHECK((*rows)->layout() == ReadLayout(*header, {}));
  const Layout layout = (*rows)->layout();
  Image image(layout);
  for (int64_t y = 0; y < layout.height; y += 7) {
    const int64_t now = std::min<int64_t>(7, layout.height - y);
    if (Status read = (*rows)->Read(now, image.row(y), layout.row_bytes()); !read) return read.error();
  }
  for (const std::string& note : (*rows)->notes()) notes += note + "\n";
  return image;
}

}  // namespace

TEST_CASE("every file of the corpus reads as its row says, or is refused as it says") {
  const std::vector<Row> rows = Rows();
  CHECK(rows.size() > 20);
  for (const Row& row : rows) {
    CAPTURE(row.file);
    CAPTURE(row.source);
    const TimeGuard guard(row.file, 20);
    std::string said;
    Result<Image> image = ReadWhole(row.file, said);
    if (row.outcome.starts_with("refused ")) {
      if (image) {
        FAIL_CHECK("it was read");
        continue;
      }
      said = image.error().message;
      CHECK("refused " + std::string(ToString(image.error().code)) == row.outcome);
    } else {
      if (!image) {
        FAIL_CHECK(Describe(row.file, image.error()));
        continue;
      }
      CHECK(Text(image->layout()) == row.outcome);
      if (Text(image->layout()) != row.outcome) continue;
      for (const std::string& pixel : Split(row.pixels, ';')) CheckPixel(*image, pixel);
    }
    CAPTURE(said);
    if (row.notes == "none") CHECK(said.empty());
    if (row.notes != "none" && row.notes != "-") CHECK(said.find(row.notes) != std::string::npos);
  }
}

TEST_CASE("every file of the corpus has a row, and all of them are small") {
  uintmax_t bytes = 0;
  std::vector<std::string> known;
  for (const Row& row : Rows()) known.push_back(row.file);
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(IMGMILL_SOURCE_DIR "/tests/corpus/files")) {
    if (!entry.is_regular_file() || entry.path().filename() == "expected.tsv") continue;
    bytes += entry.file_size();
    CHECK_MESSAGE(std::find(known.begin(), known.end(), entry.path().string()) != known.end(),
                  entry.path().string());
  }
  CHECK(bytes <= 2u << 20);
}
