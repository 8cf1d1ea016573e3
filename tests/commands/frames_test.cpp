// What frames writes: every frame by name, its line in the manifest, what a broken animation leaves, and
// reruns.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "commands/frames/frame_choice.h"
#include "imgmill/image/frame_source.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

const std::string kFrames = IMGMILL_SOURCE_DIR "/tests/golden/frames/";

std::vector<nlohmann::json> Lines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(TestFolder::Read(path));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

Image Whole(RowReader& rows) {
  Image image(rows.layout());
  REQUIRE(rows.Read(image.layout().height, image.row(0), image.layout().row_bytes()).ok());
  return image;
}

Image Load(const std::string& path) {
  CAPTURE(path);
  const Result<ImageHeader> header = Probe(path, {});
  REQUIRE(header.ok());
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, {});
  REQUIRE(rows.ok());
  return Whole(**rows);
}

bool Same(const Image& a, const Image& b) {
  if (a.layout() != b.layout()) return false;
  const size_t bytes = a.layout().row_bytes() * static_cast<size_t>(a.layout().height);
  return std::equal(a.row(0), a.row(0) + bytes, b.row(0));
}

/// The GIF of six frames, of whose fourth and later ones nothing was written.
void WriteCutGif(const TestFolder& where, const std::string& name) {
  std::string bytes = TestFolder::Read(kFrames + "discs.gif");
  size_t at = 0;
  for (int frame = 0; frame < 4; ++frame) at = bytes.find("!\xF9", at + 1);
  where.Write(name, bytes.substr(0, at + 40));
}

/// Frames of one level each, 100 rows; of one of them only the first 64 rows can be read.
class LevelFrames final : public FrameSource {
 public:
  LevelFrames(std::vector<uint8_t> levels, size_t broken) : levels_(std::move(levels)), broken_(broken) {}
  Result<std::optional<Frame>> Next() override { return ++at_, std::optional(Frame{}); }
  Result<std::unique_ptr<RowReader>> Open(const ReadOptions&) override {
    return std::unique_ptr<RowReader>(std::make_unique<Rows>(levels_[at_ - 1], at_ - 1 == broken_));
  }
  bool independent() const override { return true; }

 private:
  class Rows final : public RowReader {
   public:
    Rows(uint8_t level, bool broken) : level_(level), broken_(broken) {}
    const Layout& layout() const override { return layout_; }
    Status Read(int64_t count, uint8_t* to, size_t row_bytes) override {
      if (broken_ && std::exchange(begun_, true)) return Error{Stage::kDecode, Code::kTruncated, "cut"};
      for (int64_t y = 0; y < count; ++y)
        std::fill_n(to + static_cast<size_t>(y) * row_bytes, layout_.row_bytes(), level_);
      return {};
    }
    const std::vector<std::string>& notes() const override { return notes_; }

   private:
    const uint8_t level_;
    const bool broken_;
    bool begun_ = false;
    Layout layout_{8, 100, 1, Sample::kU8};
    std::vector<std::string> notes_;
  };

  const std::vector<uint8_t> levels_;
  const size_t broken_;
  size_t at_ = 0;
};

}  // namespace

TEST_CASE("a scene begins behind a page that could be read in part only, whatever was seen of it") {
  LevelFrames frames({10, 200, 10, 10}, 1);
  SceneChange scenes;
  const auto next = [&] {
    REQUIRE(frames.Next().ok());
    return scenes.Next(frames);
  };
  CHECK_FALSE(*next());
  CHECK_FALSE(next().ok());
  const Result<std::optional<double>> behind = next();
  REQUIRE(behind.ok());
  CHECK_FALSE(*behind);
  CHECK(*next() == std::optional(0.0));
}

TEST_CASE("each frame and page is a file of its own, in the pixels that the reader gives") {
  const TestFolder where;
  const ProcessResult run = Run({"frames", kFrames, "-o", where / "out", "--json"});
  REQUIRE(run.exit_code == 0);
  const nlohmann::json document = Json(run);
  const std::vector<nlohmann::json> lines = Lines(where / "out/frames.jsonl");
  CHECK(document["frames"] == lines.size());
  CHECK(document["done"] == 9);
  // Nine files: seven animations of 6 frames, one of 7, and three pages.
  REQUIRE(lines.size() == 7 * 6 + 7 + 3);
  CHECK(CountFiles(where / "out") == lines.size() + 1);

  size_t line = 0;
  for (const char* name : {"discs.gif", "discs.jxl", "discs.png", "discs.webp", "discs_apart.png",
                           "discs_glass.webp", "discs_lossy.webp", "discs_palette.png", "pages.tif"}) {
    CAPTURE(name);
    const std::string path = kFrames + name;
    const Result<ImageHeader> header = Probe(path, {});
    REQUIRE(header.ok());
    Result<std::unique_ptr<FrameSource>> source = OpenFrames(path, *header, {});
    REQUIRE(source.ok());
    for (;;) {
      const Result<std::optional<Frame>> frame = (*source)->Next();
      REQUIRE(frame.ok());
      if (!*frame) break;
      const nlohmann::json& told = lines.at(line++);
      CHECK(told["source"] == path);
      CHECK(told["frame"] == (*frame)->number);
      Result<std::unique_ptr<RowReader>> rows = (*source)->Open({});
      REQUIRE(rows.ok());
      CHECK(Same(Whole(**rows), Load(where / ("out/" + told["output"].get<std::string>()))));
      CHECK(told["timestamp_ms"].is_null() == !(*frame)->time.has_value());
    }
  }
  CHECK(line == lines.size());
}

TEST_CASE("names sort by frame, and the manifest has the file's times") {
  const TestFolder where;
  fs::create_directories(where / "in/sub");
  fs::copy_file(kFrames + "discs.gif", where / "in/sub/spin.gif");
  fs::copy_file(SampleData() + "/harbour.jpg", where / "in/still.jpg");
  REQUIRE(Run({"frames", where / "in", "-o", where / "out", "--every", "2", "--format", "webp"}).exit_code ==
          0);
  std::vector<std::string> lines;
  std::istringstream text(TestFolder::Read(where / "out/frames.jsonl"));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  const std::string source = "\"source\":\"" + (where / "in/");
  // As they were drawn: 100, 50, 70, 300, 10 and 120 ms.
  CHECK(lines ==
        std::vector<std::string>{"{\"output\":\"still_000000.webp\"," + source +
                                     "still.jpg\",\"frame\":0,\"timestamp_ms\":null,\"duration_ms\":null}",
                                 "{\"output\":\"sub/spin_000000.webp\"," + source +
                                     "sub/spin.gif\",\"frame\":0,\"timestamp_ms\":0,\"duration_ms\":100}",
                                 "{\"output\":\"sub/spin_000002.webp\"," + source +
                                     "sub/spin.gif\",\"frame\":2,\"timestamp_ms\":150,\"duration_ms\":70}",
                                 "{\"output\":\"sub/spin_000004.webp\"," + source +
                                     "sub/spin.gif\",\"frame\":4,\"timestamp_ms\":520,\"duration_ms\":10}"});
}

TEST_CASE("a cut animation gives the frames before the cut, and a failure that names the frame") {
  const TestFolder where;
  WriteCutGif(where, "in/cut.gif");
  fs::copy_file(kFrames + "discs.webp", where / "in/whole.webp");
  const std::vector<std::string> command = {"frames", where / "in", "-o", where / "out", "--json"};
  for (int run = 0; run < 2; ++run) {  // the second time as the first: a failure is not forgotten
    CAPTURE(run);
    const ProcessResult result = Run(command);
    CHECK(result.exit_code == 1);
    const nlohmann::json document = Json(result);
    CHECK(document["frames"] == 3 + 6);
    REQUIRE(document["failed"].size() == 1);
    const std::string message = document["failed"][0]["message"];
    CHECK(message.starts_with("frame 3: GIF data ends after"));
    CHECK(CountFiles(where / "out") == 3 + 6 + 1);
    const std::vector<nlohmann::json> lines = Lines(where / "out/frames.jsonl");
    REQUIRE(lines.size() == 3 + 6);
    CHECK(lines[2]["output"] == "cut_000002.png");
  }

  // Whole again, as a download that continues.
  fs::copy_file(kFrames + "discs.gif", where / "in/cut.gif", fs::copy_options::overwrite_existing);
  CHECK(Run(command).exit_code == 0);
  CHECK(CountFiles(where / "out") == 6 + 6 + 1);
}

TEST_CASE("with --allow-truncated what is before the cut is all there is") {
  const TestFolder where;
  WriteCutGif(where, "in/cut.gif");
  const std::vector<std::string> command = {"frames",      where / "in",        "-o",
                                            where / "out", "--allow-truncated", "--json"};
  const ProcessResult first = Run(command);
  CHECK(first.exit_code == 0);
  CHECK(Json(first)["frames"] == 3);
  const nlohmann::json again = Json(Run(command));
  CHECK(again["skipped"] == 1);
  CHECK(again["frames"] == 3);
}

TEST_CASE("a page that cannot be read is named, and those behind it are written") {
  const TestFolder where;
  std::string bytes = TestFolder::Read(kFrames + "pages.tif");
  const Result<ImageHeader> header = Probe(kFrames + "pages.tif", {});
  REQUIRE(header.ok());
  Result<std::unique_ptr<FrameSource>> source = OpenFrames(kFrames + "pages.tif", *header, {});
  REQUIRE(source.ok());
  REQUIRE((*source)->Next().ok());
  const Result<std::optional<Frame>> second = (*source)->Next();
  REQUIRE(second.ok());
  // Zeros over the end of its strip, which lies before its directory.
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>((*second)->header.directory) - 32, 24, '\0');
  fs::create_directories(where / "in");
  where.Write("in/scan.tif", bytes);
  const ProcessResult run = Run({"frames", where / "in", "-o", where / "out", "--json"});
  CHECK(run.exit_code == 1);
  const nlohmann::json document = Json(run);
  CHECK(document["failed"][0]["message"].get<std::string>().starts_with("frame 1: "));
  CHECK(fs::exists(where / "out/scan_000000.png"));
  CHECK_FALSE(fs::exists(where / "out/scan_000001.png"));
  CHECK(fs::exists(where / "out/scan_000002.png"));
}

TEST_CASE("finished frames are skipped, with the same manifest") {
  const TestFolder where;
  const std::vector<std::string> command = {"frames", kFrames, "-o", where / "out"};
  REQUIRE(Run(command).exit_code == 0);
  const FolderBytes first = ReadFolder(where / "out");
  const ProcessResult again = Run({"frames", kFrames, "-o", where / "out", "--json"});
  CHECK(again.exit_code == 0);
  CHECK(Json(again)["skipped"] == 9);
  CHECK(Difference(first, ReadFolder(where / "out")) == "");
}

TEST_CASE("a dry run writes nothing, and finds what would be in the way") {
  const TestFolder where;
  const ProcessResult dry = Run({"frames", kFrames, "-o", where / "out", "--dry-run"});
  CHECK(dry.exit_code == 0);
  CHECK_FALSE(fs::exists(where / "out"));
  fs::create_directories(where / "out");
  where.Write("out/pages_000002.png", "not ours");
  const ProcessResult refused = Run({"frames", kFrames, "-o", where / "out", "--dry-run"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("pages_000002.png exists already") != std::string::npos);
}

}  // namespace imgmill::process_test
