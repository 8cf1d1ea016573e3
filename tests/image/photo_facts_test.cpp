// What a camera wrote, against what ExifTool reads of the same files: of the assets as they are, and of one
// file of each format that ExifTool wrote tags into. Without ExifTool these two say "skipped".
#include "image/photo_facts.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

/// What a command prints; nothing where it cannot be run.
std::optional<std::string> Printed(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> piece;
  while (const size_t got = std::fread(piece.data(), 1, piece.size(), pipe)) text.append(piece.data(), got);
  const int status = ::pclose(pipe);
  return status < 0 || WEXITSTATUS(status) == 127 ? std::nullopt : std::optional<std::string>(text);
}

std::string Trimmed(const std::string& text) {
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

/// The columns that ExifTool is asked for.
constexpr const char* kAsked =
    "exiftool -T -n -Directory -FileName -EXIF:Make -EXIF:Model -EXIF:LensModel -IFD0:Software "
    "-EXIF:DateTimeOriginal -EXIF:CreateDate -EXIF:ISO -EXIF:ExposureTime -EXIF:FNumber -EXIF:FocalLength "
    "-IFD0:Orientation ";

struct Row {
  std::string path;
  std::array<std::string, 11> fields;  ///< from Make on, empty where there is none
};

/// One of each file that ExifTool knows.
std::vector<Row> RowsOf(const std::string& printed) {
  std::vector<Row> rows;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string folder, name;
    std::getline(cells, folder, '\t');
    std::getline(cells, name, '\t');
    Row row{folder + "/" + name, {}};
    for (std::string& field : row.fields) {
      std::getline(cells, field, '\t');
      field = field == "-" ? "" : Trimmed(field);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void CheckNumber(const std::optional<double>& found, const std::string& expected) {
  const double number = expected.empty() ? 0 : std::strtod(expected.c_str(), nullptr);
  REQUIRE(found.has_value() == (number > 0));  // ExifTool's "undef" and "inf" are none
  if (found) CHECK(*found == doctest::Approx(number).epsilon(1e-6));
}

/// "2015:06:01 12:30:05" as DateText writes it.
std::string IsoDate(std::string text) {
  text.resize(std::min<size_t>(text.size(), 19));
  if (text.size() < 19) return "";
  text[4] = text[7] = '-';
  text[10] = 'T';
  return text.starts_with("0000") ? "" : text;
}

void CheckAgainst(const Row& row, const PhotoFacts& facts) {
  CAPTURE(row.path);
  const auto& [make, model, lens, software, taken, digitized, iso, exposure, f_number, focal, orientation] =
      row.fields;
  // The rule of the header, by hand: both makers whose models name them, and all others.
  const bool named = model.starts_with("NIKON") || model.starts_with("Canon") ||
                     model.starts_with("PENTAX") || model.starts_with("Nintendo");
  const std::string camera = named || make.empty() ? model : make + (model.empty() ? "" : " " + model);
  CHECK(facts.texts[0] == camera);
  CHECK(facts.texts[1] == lens);
  CHECK(facts.texts[2] == software);
  const std::string date = IsoDate(taken).empty() ? IsoDate(digitized) : IsoDate(taken);
  CHECK((facts.date ? DateText(*facts.date) : "") == date);
  CheckNumber(facts.iso, iso);
  CheckNumber(facts.exposure_time, exposure);
  CheckNumber(facts.f_number, f_number);
  CheckNumber(facts.focal_length, focal);
  CheckNumber(facts.orientation, orientation);
}

/// A little-endian block: Make, Software, and the directory of EXIF with a time of exposure.
std::string Block() {
  std::string block("II*\0\10\0\0\0", 8);
  const auto put = [&](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) block += static_cast<char>(value >> 8 * i);
  };
  const auto entry = [&](uint32_t tag, uint32_t type, uint32_t count, uint32_t value) {
    put(tag, 2), put(type, 2), put(count, 4), put(value, 4);
  };
  put(3, 2);
  entry(0x010F, 2, 10, 50);         // "Millmaker" lies at 50
  entry(0x0131, 2, 4, 0x00332E31);  // "1.3" in the entry itself
  entry(0x8769, 4, 1, 60);
  put(0, 4);
  block += std::string("Millmaker\0", 10);
  put(1, 2);
  entry(0x829A, 5, 1, 78);  // at 78: 1/250
  put(0, 4);
  put(1, 4), put(250, 4);
  return block;
}

PhotoFacts FactsOf(const std::string& block) {
  return PhotoFactsOf({reinterpret_cast<const uint8_t*>(block.data()), block.size()});
}

}  // namespace

TEST_CASE("of every asset the same is read as by ExifTool") {
  if (!HaveAssets()) return;
  const std::optional<std::string> printed =
      Printed(std::string(kAsked) + "-r '" + Asset("odd") + "' '" + Asset("photos") + "'");
  if (!printed) {
    MESSAGE("skipped: no exiftool");
    return;
  }
  size_t told = 0;
  std::set<std::string> damaged;
  for (const Row& row : RowsOf(*printed)) {
    if (!Probe(row.path, ImageLimits{})) continue;
    const Result<PhotoFacts> facts = ReadPhotoFacts(row.path);
    REQUIRE_MESSAGE(facts.ok(), row.path);
    if (facts->damaged) {  // each reader keeps another part of these
      damaged.insert(std::filesystem::path(row.path).filename());
      continue;
    }
    CheckAgainst(row, *facts);
    told += !facts->texts[0].empty();
  }
  // ExifTool warns of the same: a directory or a value that is not there, or an offset of another type.
  CHECK(damaged == std::set<std::string>{"exif_typeerror.jpg", "hopper_bad_exif.jpg", "invalid-exif.jpg",
                                         "truncated_exif_dpi.jpg"});
  CHECK(told >= 8);  // JPEG, MPO, WebP and PNG of cameras
}

TEST_CASE("EXIF is read from every format that ExifTool writes it into") {
  const TemporaryFolder folder;
  const std::string corpus = IMGMILL_SOURCE_DIR "/tests/corpus/files/";
  const std::string samples = IMGMILL_SOURCE_DIR "/sample_data/";
  WriteFile(folder / "a.jpg", ReadFile(samples + "clock.jpg"));
  WriteFile(folder / "a.png", ReadFile(samples + "icon_tiny.png"));
  WriteFile(folder / "a.webp", ReadFile(samples + "balloons.webp"));
  WriteFile(folder / "a.tif", ReadFile(corpus + "tiff_exif/high_byte_first.tif"));
  const Image picture = ReadAll(samples + "icon_tiny.png", ReadOptions{});
  for (const auto& [name, format] :
       {std::pair("a.jxl", FileFormat::kJxl), std::pair("a.avif", FileFormat::kAvif)}) {
    WriteOptions options;
    options.format = format;
    auto writer = CreateRows(folder / name, picture.layout(), options, {});
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Write(picture.view()).ok());
    REQUIRE((*writer)->Finish().ok());
  }
  const std::string tags =
      "exiftool -q -m -overwrite_original -n -Make='NIKON CORPORATION' -Model='NIKON D850' "
      "-LensModel='24.0-70.0 mm f/2.8' -Software='Mill 2.0' -DateTimeOriginal='2019:05:06 07:08:09' -ISO=640 "
      "-ExposureTime=0.004 -FNumber=2.8 -FocalLength=50 -IFD0:Orientation=1 ";
  if (!Printed("exiftool -ver")) {
    MESSAGE("skipped: no exiftool");
    return;
  }
  REQUIRE(Printed(tags + "'" + folder.path() + "'"));
  const std::vector<Row> rows = RowsOf(*Printed(std::string(kAsked) + "'" + folder.path() + "'"));
  CHECK(rows.size() == 6);
  for (const Row& row : rows) {
    const Result<PhotoFacts> facts = ReadPhotoFacts(row.path);
    REQUIRE_MESSAGE(facts.ok(), row.path);
    CAPTURE(row.path);
    CHECK(facts->texts[0] == "NIKON D850");  // it was written
    CHECK_FALSE(facts->damaged);
    CheckAgainst(row, *facts);
  }
}

TEST_CASE("EXIF in a box of JPEG XL that Brotli has made smaller is read, and a damaged one is none") {
  const TemporaryFolder folder;
  const std::string head("\0\0\0\14JXL \r\n\207\n\0\0\0\24ftypjxl \0\0\0\0jxl ", 32);
  // Four zero bytes and Block(), by BrotliEncoderCompress of libbrotli 1.0.9.
  const std::string packed(
      "\033\131\000\370\217\223\124\355\261\217\207\317\333\373\333\166\267\113\042\353\156\245\201"
      "\014\112\174\242\111\340\001\141\015\240\302\046\047\105\231\110\245\132\240\221\021\306\120"
      "\103\266\106\262\140\107\217\244\240\157\207\371\026\201\023\160\315\252\114\370\236\052\160"
      "\003\374\000",
      72);
  const auto box = [](const std::string& name, const std::string& content) {
    return std::string(3, '\0') + static_cast<char>(8 + content.size()) + name + content;
  };
  const auto facts_of = [&](const std::string& boxes) {
    WriteFile(folder / "a.jxl", head + boxes);
    const Result<PhotoFacts> facts = ReadPhotoFacts(folder / "a.jxl");
    REQUIRE(facts.ok());
    return *facts;
  };
  const PhotoFacts plain = FactsOf(Block());
  for (const std::string& boxes : {box("Exif", std::string(4, '\0') + Block()), box("brob", "Exif" + packed),
                                   box("brob", "xml " + packed) + box("brob", "Exif" + packed)}) {
    const PhotoFacts facts = facts_of(boxes);
    CHECK(facts.texts == plain.texts);
    CHECK(facts.exposure_time == 1.0 / 250);
    CHECK_FALSE(facts.damaged);
  }
  for (const std::string& boxes :
       {box("brob", "Exif" + packed.substr(0, 60)), box("brob", "Exif"), box("brob", "Ex"),
        box("brob", "xml " + packed), box("brob", "Exif\377\377\377"), box("Exif", "\0\0"),
        box("Exif", std::string("\0\0\1\0", 4) + Block())}) {
    const PhotoFacts facts = facts_of(boxes);
    CHECK(facts.texts[0].empty());
    CHECK_FALSE(facts.exposure_time.has_value());
  }
}

TEST_CASE("a block that is cut anywhere, or points out of itself, is damaged and gives no wrong value") {
  const std::string block = Block();
  const PhotoFacts whole = FactsOf(block);
  CHECK(whole.texts[0] == "Millmaker");
  CHECK(whole.texts[2] == "1.3");
  CHECK(whole.exposure_time == 1.0 / 250);
  CHECK_FALSE(whole.iso);
  CHECK_FALSE(whole.damaged);
  for (size_t length = 1; length < block.size(); ++length) {
    CAPTURE(length);
    const PhotoFacts cut = FactsOf(block.substr(0, length));
    CHECK(cut.damaged);
    CHECK((cut.texts[0].empty() || cut.texts[0] == "Millmaker"));
    CHECK_FALSE(cut.exposure_time);
  }
  std::string far = block;
  far[8 + 2 + 8] = '\xFF';  // where Make lies
  CHECK(FactsOf(far).damaged);
  CHECK(FactsOf(far).texts[0].empty());
  CHECK(FactsOf(far).texts[2] == "1.3");
  CHECK_FALSE(FactsOf("").damaged);  // none at all
  CHECK(FactsOf("no EXIF at all").damaged);
}

TEST_CASE("blanks at a text's end are no part of it, and those at its begin are") {
  std::string block = Block();
  block.replace(50, 9, "  Mill \t \0", 9);
  CHECK(FactsOf(block).texts[0] == "  Mill");
  block.replace(50, 9, 9, ' ');
  CHECK(FactsOf(block).texts[0].empty());
}

TEST_CASE("texts are cut, and shown on one line") {
  std::string block = Block();
  block.replace(50, 9, "Mi\nl\xFFker\\");
  CHECK(FactsOf(block).texts[0] == "Mi\\x0al\\xffker\\\\");
}
