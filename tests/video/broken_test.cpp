// Videos that are cut or damaged: every frame that is written is the one of the whole file, and the failure
// is told.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "video/drawn_videos.h"

namespace imgmill::video_test {
namespace {

namespace fs = std::filesystem;
using process_test::Difference;
using process_test::FolderBytes;
using process_test::ReadFolder;

/// What is left of a file, whole frames in the folder "whole" beside.
struct Broken {
  TestFolder where;
  nlohmann::json document;
  int exit_code = 0;
  size_t frames = 0;
  std::string message;
};

/// scenes.mp4 in another container, whole and with `spoil` done to its bytes.
template <typename Spoil>
void RunBroken(Broken& broken, const std::string& name, const std::string& how, Spoil spoil,
               const std::vector<std::string>& more = {}) {
  fs::create_directories(broken.where / "in");
  fs::create_directories(broken.where / "whole");
  const std::string whole = broken.where / ("whole/" + name);
  Shell("ffmpeg -nostdin -v error -i '" + Video("scenes.mp4") + "' " + how + " '" + whole + "'");
  std::string bytes = TestFolder::Read(whole);
  spoil(bytes);
  broken.where.Write("in/" + name, bytes);
  REQUIRE(Run({"frames", whole, "-o", broken.where / "all"}).exit_code == 0);
  std::vector<std::string> command = {"frames", broken.where / "in", "-o", broken.where / "out", "--json"};
  command.insert(command.end(), more.begin(), more.end());
  const ProcessResult run = Run(command);
  INFO(run.err);
  broken.exit_code = run.exit_code;
  broken.document = Json(run);
  if (!broken.document["failed"].empty()) broken.message = broken.document["failed"][0]["message"];
  // Threads that decode together cannot say where damage is: what comes of it is what one thread makes.
  for (const std::string jobs : {"1", "3"}) {
    CAPTURE(jobs);
    command[3] = broken.where / ("out" + jobs);
    std::vector<std::string> again = command;
    again.insert(again.end(), {"-j", jobs});
    CHECK(Json(Run(again))["failed"] == broken.document["failed"]);
    CHECK(Difference(ReadFolder(broken.where / "out"), ReadFolder(command[3])) == "");
  }
  const FolderBytes all = ReadFolder(broken.where / "all");
  for (const auto& [path, frame] : ReadFolder(broken.where / "out")) {
    if (path == "frames.jsonl") continue;
    CAPTURE(path);
    ++broken.frames;
    REQUIRE(all.contains(path));
    CHECK(all.at(path) == frame);  // of the same number, to the byte
  }
}

void Cut(std::string& bytes) {
  bytes.resize(bytes.size() * 6 / 10);
}

void Hole(std::string& bytes) {
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), 40, '\0');
}

struct Container {
  const char* name;
  const char* how;
};
constexpr Container kContainers[] = {{"s.mp4", "-c copy -movflags +faststart"},
                                     {"s.mkv", "-c copy"},
                                     {"s.flv", "-c copy"},
                                     {"s.ts", "-c copy"},
                                     {"s.avi", "-c:v mpeg4 -q:v 3 -g 10"},
                                     {"m.avi", "-c:v mjpeg -q:v 3"},
                                     {"s.webm", "-c:v libvpx-vp9 -deadline realtime -g 10"}};

}  // namespace

TEST_CASE("a video that is cut gives the frames before, and a failure that says so") {
  for (const Container& each : kContainers) {
    CAPTURE(each.name);
    Broken cut;
    RunBroken(cut, each.name, each.how, &Cut);
    CAPTURE(cut.message);
    CHECK(cut.exit_code == 1);
    CHECK(cut.frames >= 10);
    CHECK(cut.frames < 35);
    CHECK(cut.document["frames"] == cut.frames);
    CHECK(cut.message.starts_with("frame "));
    CHECK(cut.message.find("copy the file again, or use --allow-truncated") != std::string::npos);
  }
}

TEST_CASE("with --allow-truncated the readable part is all there is") {
  Broken cut;
  RunBroken(cut, "s.mp4", "-c copy -movflags +faststart", &Cut, {"--allow-truncated"});
  CHECK(cut.exit_code == 0);
  CHECK(cut.frames >= 10);
  CHECK(cut.document["failed"].empty());
}

TEST_CASE("damage costs the frames up to the next one that stands for itself, and no others") {
  for (const Container& each : kContainers) {
    if (std::string(each.name) == "s.webm" || std::string(each.name) == "m.avi")
      continue;  // it is not noticed there
    CAPTURE(each.name);
    Broken hole;
    RunBroken(hole, each.name, each.how, &Hole);
    CAPTURE(hole.message);
    CHECK(hole.exit_code == 1);
    CHECK(hole.message.find("cannot be decoded") != std::string::npos);
    // Key frames are every ten.
    CHECK(hole.frames >= 40);
    CHECK(hole.frames < 50);
    CHECK(fs::exists(hole.where / ("out/s_000049.png")));
  }
}

TEST_CASE("each message about a video damaged in two places has the number of the frame that it is about") {
  // Of 50 frames in groups of 10 the one at 33 is damaged, and those from 37 on are not there.
  Broken twice;
  const auto spoil = [&](std::string& bytes) {
    Shell("ffprobe -v error -select_streams v -show_entries packet=pos -of csv=p=0 '" +
          twice.where / "whole/s.mp4" + "' >'" + twice.where / "places'");
    std::ifstream places(twice.where / "places");
    const std::vector<std::ptrdiff_t> at{std::istream_iterator<std::ptrdiff_t>(places), {}};
    REQUIRE(at.size() == 50);
    std::fill_n(bytes.begin() + at[33] + 4, 40, '\0');
    bytes.resize(static_cast<size_t>(at[37]));
  };
  RunBroken(twice, "s.mp4", "-c:v libx264 -bf 0 -g 10 -sc_threshold 0 -movflags +faststart", spoil);
  CAPTURE(twice.message);
  CHECK(twice.frames == 33);
  CHECK(twice.message.starts_with("frame 33: it and the 3 behind it cannot be decoded: "));
  CHECK(twice.message.find("; frame 37: the video ends early, 13 pictures before the end") !=
        std::string::npos);
}

TEST_CASE("parts that are missing are found by several threads as by one, each time") {
  const TestFolder where;
  const std::string stream = where / "s.ts";
  Shell(
      "ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=320x240:r=25:d=4 -pix_fmt yuv420p -c:v libx264 -g 25 "
      "'" +
      stream + "'");
  std::string bytes = TestFolder::Read(stream);
  constexpr size_t kPacket = 188;
  const size_t first = bytes.size() / kPacket * 6 / 10;
  for (size_t packet = first; packet < first + 3; ++packet)
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(packet * kPacket + 60), 40, '\x55');
  where.Write("s.ts", bytes);
  const auto frames = [&](const std::string& jobs) {
    const ProcessResult run = Run({"frames", stream, "-o", where / "out", "--format", "jpg", "--every", "2",
                                   "-j", jobs, "--no-catalog", "--force"});
    CHECK(run.exit_code == 1);
    FolderBytes made = ReadFolder(where / "out");
    fs::remove_all(where / "out");
    return made;
  };
  const FolderBytes by_one = frames("1");
  CHECK(by_one.size() > 40);
  for (int i = 0; i < 8; ++i) CHECK(Difference(by_one, frames("2")) == "");
}

TEST_CASE(
    "a recording that never got its index, a file without pictures and one that is no video are refused") {
  const TestFolder where;
  std::string bytes = TestFolder::Read(Video("scenes.mp4"));
  where.Write("in/cut.mp4", bytes.substr(0, bytes.size() / 2));
  fs::copy_file(Video("sound.mp4"), where / "in/sound.mp4");
  where.Write("in/text.mkv", "once upon a time\n");
  where.Write("in/empty.avi", "");
  const ProcessResult run = Run({"frames", where / "in", "-o", where / "out", "--json"});
  CHECK(run.exit_code == 1);
  const nlohmann::json failed = Json(run)["failed"];
  REQUIRE(failed.size() == 4);
  CHECK(failed[0]["code"] == "truncated");
  CHECK(failed[0]["message"].get<std::string>().find("before its index (moov)") != std::string::npos);
  CHECK(failed[1]["message"] == "the file is empty");
  CHECK(failed[2]["code"] == "unsupported");
  CHECK(failed[2]["message"].get<std::string>().starts_with("it has no video stream"));
  CHECK(failed[3]["message"] == "it is text, not an image");
  CHECK(process_test::CountFiles(where / "out") == 1);  // the list, which is empty
}

TEST_CASE("H.261, which marks no key frames, is not taken for damaged") {
  const TestFolder where;
  const std::string video = where / "old.mkv";
  Shell("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=352x288:r=25:d=1 -c:v h261 '" + video + "'");
  const ProcessResult run = Run({"frames", video, "-o", where / "out"});
  CHECK_MESSAGE(run.exit_code == 0, run.err);
  const std::vector<nlohmann::json> lines = Lines(where / "out/frames.jsonl");
  REQUIRE(lines.size() == 25);
  std::string pixels;
  for (const nlohmann::json& line : lines)
    pixels += PixelsOf(where / ("out/" + line["output"].get<std::string>()));
  CHECK((pixels == FfmpegFrames(video, "rgb24")));
}

TEST_CASE("a video that an edit list trims is whole, and has the frames that ffmpeg shows") {
  const TestFolder where;
  const std::string trimmed = where / "trimmed.mp4";
  Shell(
      "ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=160x120:r=25:d=4 -pix_fmt yuv420p -c:v libx264 -g 25 "
      "'" +
      trimmed + "'");
  std::string bytes = TestFolder::Read(trimmed);
  // ISO/IEC 14496-12, 8.6.6: version and flags, the number of entries, and of the first one the duration.
  const size_t duration = bytes.find("elst") + 12;
  REQUIRE(duration < bytes.size());
  const auto halved = static_cast<uint32_t>(
      (static_cast<uint8_t>(bytes[duration + 2]) << 8 | static_cast<uint8_t>(bytes[duration + 3])) / 2);
  bytes[duration + 2] = static_cast<char>(halved >> 8);
  bytes[duration + 3] = static_cast<char>(halved & 0xFF);
  where.Write("trimmed.mp4", bytes);
  const size_t shown = FfmpegFrames(trimmed, "gray").size() / (160 * 120);
  CHECK(shown == 50);
  const ProcessResult run = Run({"frames", trimmed, "-o", where / "out", "--format", "jpg"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(ReadFolder(where / "out").size() == shown + 1);  // and the manifest
}

TEST_CASE("a number of frames that a file cannot hold costs nothing") {
  const TestFolder where;
  Shell("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=160x120:r=25:d=0.4 -c:v mjpeg '" +
        where / "many.avi" + "'");
  std::string bytes = TestFolder::Read(where / "many.avi");
  // AVI's stream header: dwLength is the ninth number of four bytes behind its name and size.
  const size_t length = bytes.find("strh") + 8 + 32;
  for (const size_t i : {0U, 1U, 2U, 3U}) bytes[length + i] = "\x00\xE1\xF5\x05"[i];  // 100 million
  where.Write("many.avi", bytes);
  const ProcessResult run = Run({"frames", where / "many.avi", "-o", where / "out", "--memory", "256MiB"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(ReadFolder(where / "out").size() == 11);
}

TEST_CASE("limits hold, before anything is decoded") {
  const TestFolder where;
  const ProcessResult run =
      Run({"frames", Video("bt709.mp4"), "-o", where / "out", "--max-pixels", "50000", "--json"});
  CHECK(run.exit_code == 1);
  CHECK(Json(run)["failed"][0]["code"] == "limit_exceeded");
  CHECK(Json(run)["failed"][0]["stage"] == "probe");
}

}  // namespace imgmill::video_test
