// Frames and pages one after the other: pixels and times as Pillow has them, and what becomes of broken
// files.
#include "imgmill/image/frame_source.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

const std::string kFrames = IMGMILL_SOURCE_DIR "/tests/golden/frames/";

/// CRC-32 as zlib has it (ISO 3309), of the pixels in RGBA, transparent ones as zeros.
uint32_t CrcInRgba(const Image& image) {
  static const std::vector<uint32_t> table = [] {
    std::vector<uint32_t> t(256);
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) != 0 ? 0xEDB88320U : 0U);
      t[i] = c;
    }
    return t;
  }();
  uint32_t crc = ~0U;
  const Layout& layout = image.layout();
  for (int64_t y = 0; y < layout.height; ++y) {
    const uint8_t* at = image.row(y);
    for (int64_t x = 0; x < layout.width; ++x, at += layout.bands) {
      const int colours = layout.colour_bands();
      uint8_t pixel[4] = {at[0], at[colours > 1 ? 1 : 0], at[colours > 1 ? 2 : 0], 255};
      if (layout.has_alpha()) pixel[3] = at[layout.bands - 1];
      if (pixel[3] == 0) std::memset(pixel, 0, sizeof pixel);
      for (const uint8_t byte : pixel) crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF];
    }
  }
  return ~crc;
}

struct ReadFrame {
  Frame frame;
  Image pixels;
};

/// All frames up to the first error, and that.
struct ReadFrames {
  std::vector<ReadFrame> frames;
  std::optional<Error> error;
};

ReadFrames ReadEvery(const std::string& path, int64_t every = 1) {
  CAPTURE(path);
  ReadFrames read;
  const Result<ImageHeader> header = Probe(path, {});
  REQUIRE(header);
  Result<std::unique_ptr<FrameSource>> source = OpenFrames(path, *header, {});
  REQUIRE(source);
  for (;;) {
    Result<std::optional<Frame>> frame = (*source)->Next();
    if (!frame) return read.error = frame.error(), std::move(read);
    if (!*frame) return read;
    if ((*frame)->number % every != 0) continue;
    Result<std::unique_ptr<RowReader>> rows = (*source)->Open({});
    if (!rows) return read.error = rows.error(), std::move(read);
    read.frames.push_back({**frame, TakeAll(**rows, 5)});
  }
}

struct Golden {
  int64_t at_us = -1;
  int64_t lasts_us = -1;
  int64_t width = 0;
  int64_t height = 0;
  uint32_t crc = 0;
};

/// tests/golden/frames.csv, by file.
std::map<std::string, std::vector<Golden>> ReadGolden() {
  std::ifstream csv(IMGMILL_SOURCE_DIR "/tests/golden/frames.csv");
  REQUIRE(csv);
  std::map<std::string, std::vector<Golden>> files;
  for (std::string line; std::getline(csv, line);) {
    if (line.starts_with("#") || line.starts_with("file")) continue;
    std::istringstream fields(line);
    std::string cell[7];
    for (std::string& each : cell) std::getline(fields, each, ',');
    Golden golden;
    if (!cell[2].empty()) golden.at_us = std::llround(std::stod(cell[2]) * 1000);
    if (!cell[3].empty()) golden.lasts_us = std::llround(std::stod(cell[3]) * 1000);
    golden.width = std::stoll(cell[4]);
    golden.height = std::stoll(cell[5]);
    golden.crc = static_cast<uint32_t>(std::stoul(cell[6], nullptr, 16));
    files[cell[0]].push_back(golden);
  }
  return files;
}

}  // namespace

TEST_CASE("Every frame and page is drawn as Pillow draws it, at its time") {
  int files = 0;
  for (const auto& [name, golden] : ReadGolden()) {
    CAPTURE(name);
    const ReadFrames read = ReadEvery(kFrames + name);
    CHECK_FALSE(read.error);
    REQUIRE(read.frames.size() == golden.size());
    for (size_t i = 0; i < golden.size(); ++i) {
      CAPTURE(i);
      const ReadFrame& own = read.frames[i];
      CHECK(own.frame.number == static_cast<int64_t>(i));
      CHECK(own.pixels.layout().width == golden[i].width);
      CHECK(own.pixels.layout().height == golden[i].height);
      // The two blend translucent pixels in the same library; APNG's and GIF's are opaque or not there.
      CHECK(CrcInRgba(own.pixels) == golden[i].crc);
      CHECK(own.frame.time.has_value() == (golden[i].at_us >= 0));
      if (!own.frame.time) continue;
      CHECK(own.frame.time->at_us == golden[i].at_us);
      CHECK(own.frame.time->lasts_us == golden[i].lasts_us);
    }
    ++files;
  }
  CHECK(files == 9);
}

TEST_CASE("Frames that are passed over change nothing in those that are read") {
  for (const char* name : {"discs.gif", "discs.png", "discs.webp", "discs.jxl", "pages.tif"}) {
    CAPTURE(name);
    const ReadFrames all = ReadEvery(kFrames + name);
    const ReadFrames some = ReadEvery(kFrames + name, 2);
    REQUIRE(some.frames.size() == (all.frames.size() + 1) / 2);
    for (size_t i = 0; i < some.frames.size(); ++i) {
      CHECK(some.frames[i].frame.number == static_cast<int64_t>(2 * i));
      CHECK(Checksum(some.frames[i].pixels) == Checksum(all.frames[2 * i].pixels));
    }
  }
}

TEST_CASE("The first frame is the image that OpenRows gives, to the bit") {
  for (const char* name : {"discs.gif", "discs_apart.png", "discs_glass.webp", "discs.jxl", "pages.tif"}) {
    CAPTURE(name);
    const ReadFrames read = ReadEvery(kFrames + name);
    CHECK(Checksum(read.frames.at(0).pixels) == Checksum(ReadAll(kFrames + name, {})));
  }
}

TEST_CASE("A file that is cut gives the frames before, and an error") {
  const TemporaryFolder folder;
  struct Case {
    const char* name;
    size_t most;  // frames that may still be there
  };
  for (const Case& each : {Case{"discs.gif", 6}, {"discs.png", 6}, {"discs.jxl", 6}}) {
    CAPTURE(each.name);
    const ReadFrames whole = ReadEvery(kFrames + each.name);
    const std::string bytes = ReadFile(kFrames + each.name);
    size_t most = 0;
    for (const size_t length : {bytes.size() * 5 / 10, bytes.size() * 7 / 10, bytes.size() * 9 / 10}) {
      CAPTURE(length);
      const std::string path = folder / each.name;
      WriteFile(path, bytes.substr(0, length));
      if (!Probe(path, {})) continue;  // JPEG XL: without a word about its colours
      const ReadFrames read = ReadEvery(path);
      REQUIRE(read.error);
      // libjxl does not tell what is cut from what is garbled.
      if (each.name != std::string("discs.jxl")) CHECK(read.error->code == Code::kTruncated);
      CHECK(read.frames.size() < each.most);
      most = std::max(most, read.frames.size());
      for (size_t i = 0; i < read.frames.size(); ++i)
        CHECK(Checksum(read.frames[i].pixels) == Checksum(whole.frames[i].pixels));
    }
    CHECK(most >= 1);
  }
}

TEST_CASE("Wherever a GIF is cut, it is noticed, but between two frames") {
  const TemporaryFolder folder;
  const std::string bytes = ReadFile(kFrames + "discs.gif");
  int unnoticed = 0;
  for (size_t length = 790; length + 1 < bytes.size(); ++length) {  // from the header's end on
    CAPTURE(length);
    WriteFile(folder / "cut.gif", bytes.substr(0, length));
    if (!Probe(folder / "cut.gif", {})) continue;
    const ReadFrames read = ReadEvery(folder / "cut.gif");
    if (read.error) continue;
    ++unnoticed;
    CHECK(bytes[length - 1] == '\0');  // the end of a frame's blocks
  }
  CHECK(unnoticed <= 6);  // a file without an end mark is none that is cut
}

TEST_CASE("A frame whose data is garbled is refused, with its own number still to come") {
  const TemporaryFolder folder;
  // Zeros in the place of the data of the fourth frame or page, as a download leaves them.
  const auto garble = [&](const char* name, const char* mark, int occurrence, size_t behind, size_t bytes) {
    std::string data = ReadFile(kFrames + name);
    size_t at = 0;
    for (int i = 0; i <= occurrence; ++i) at = data.find(mark, at + 1);
    REQUIRE(at != std::string::npos);
    std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(at + behind),
                std::min(bytes, data.size() - at - behind), '\0');
    WriteFile(folder / name, data);
    return ReadEvery(folder / name);
  };
  SUBCASE("GIF") {
    const ReadFrames read = garble("discs.gif", "!\xF9", 3, 40, std::string::npos);
    CHECK(read.frames.size() == 3);
    REQUIRE(read.error);
    CHECK(read.error->code == Code::kTruncated);
  }
  SUBCASE("WebP") {
    const ReadFrames read = garble("discs.webp", "VP8L", 3, 9, 20);
    CHECK(read.frames.size() == 3);
    REQUIRE(read.error);
    CHECK(read.error->code == Code::kMalformed);
  }
  SUBCASE("APNG") {  // its checksum says it
    const ReadFrames read = garble("discs.png", "fcTL", 3, 60, 4);
    CHECK(read.frames.size() == 3);
    CHECK(read.error);
  }
}

TEST_CASE("Checks of a TIFF's directory and of its end are about the page that is read") {
  const TemporaryFolder folder;
  std::string data = ReadFile(kFrames + "pages.tif");
  const Result<ImageHeader> header = Probe(kFrames + "pages.tif", {});
  REQUIRE(header);
  CHECK(header->frames == 3);
  // The data of the second page, which is the third directory: zeros over the end of its strip.
  const ReadFrames whole = ReadEvery(kFrames + "pages.tif");
  const auto second = static_cast<size_t>(whole.frames.at(1).frame.header.directory);
  REQUIRE(second > 60);
  std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(second) - 8 - 24, 24, '\0');
  const std::string path = folder / "pages.tif";
  WriteFile(path, data);

  Result<std::unique_ptr<FrameSource>> source = OpenFrames(path, *header, {});
  REQUIRE(source);
  CHECK((*source)->independent());
  std::vector<bool> good;
  for (Result<std::optional<Frame>> page = (*source)->Next(); page && *page; page = (*source)->Next()) {
    Result<std::unique_ptr<RowReader>> rows = (*source)->Open({});
    good.push_back(rows && Drain(**rows));
    if (!rows) CHECK(rows.error().code == Code::kTruncated);
  }
  CHECK(good == std::vector<bool>{true, false, true});
}

TEST_CASE("A TIFF whose directories lead back ends with an error") {
  const TemporaryFolder folder;
  std::string data = ReadFile(kFrames + "pages.tif");
  std::memcpy(&data[data.size() - 4], &data[4], 4);  // the last one's link: to the first
  WriteFile(folder / "circle.tif", data);
  const Result<ImageHeader> header = Probe(kFrames + "pages.tif", {});
  REQUIRE(header);
  Result<std::unique_ptr<FrameSource>> source = OpenFrames(folder / "circle.tif", *header, {});
  REQUIRE(source);
  int pages = 0;
  Result<std::optional<Frame>> page = (*source)->Next();
  for (; page && *page && pages < 100; page = (*source)->Next()) ++pages;
  REQUIRE_FALSE(page);
  CHECK(page.error().code == Code::kMalformed);
  CHECK(pages < 10);
}
