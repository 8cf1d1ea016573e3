// Scene changes against ffmpeg's select filter, novelty by what the scenes are, and both of animations.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "video/drawn_videos.h"

namespace imgmill::video_test {
namespace {

std::vector<int> Taken(const std::string& video, const std::vector<std::string>& options) {
  const TestFolder where;
  std::vector<std::string> command = {"frames", video, "-o", where / "out", "--format", "jpg"};
  command.insert(command.end(), options.begin(), options.end());
  const ProcessResult run = Run(command);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  std::vector<int> taken;
  for (const nlohmann::json& line : Lines(where / "out/frames.jsonl")) taken.push_back(line["frame"]);
  CHECK(process_test::CountFiles(where / "out") == taken.size() + 1);
  return taken;
}

/// The numbers of the frames that ffmpeg's filter selects; it never takes the first.
std::vector<int> SelectedByFfmpeg(const std::string& video, const std::string& threshold) {
  std::vector<int> selected = {0};
  std::istringstream lines(
      Shell("ffprobe -v error -f lavfi -show_entries frame=pts_time -of csv=p=0 \"movie='" + video +
            "',select='gt(scene\\," + threshold + ")'\" | tr -d ,"));
  const double rate = 20;
  for (double at = 0; lines >> at;) selected.push_back(static_cast<int>(at * rate + 0.5));
  return selected;
}

}  // namespace

TEST_CASE("--scene-change takes what ffmpeg's select filter takes, and the first frame") {
  size_t most = 0;
  for (const char* threshold : {"0.005", "0.01", "0.05", "0.2", "0.4"}) {
    CAPTURE(threshold);
    const std::vector<int> taken = Taken(Video("scenes.mp4"), {"--scene-change", threshold});
    CHECK(taken == SelectedByFfmpeg(Video("scenes.mp4"), threshold));
    most = std::max(most, taken.size());
  }
  CHECK(most > 5);
  // The five scenes as they were drawn.
  CHECK(Taken(Video("scenes.mp4"), {"--scene-change", "0.1"}) == std::vector<int>{0, 10, 20, 30, 40});
}

TEST_CASE("a scene change is the same number of 10 bits as of 8") {
  for (const char* threshold : {"0.0005", "0.002", "0.01"}) {
    CAPTURE(threshold);
    const std::vector<int> taken = Taken(Video("deep.mkv"), {"--scene-change", threshold});
    std::vector<int> selected = {0};
    std::istringstream lines(
        Shell("ffprobe -v error -f lavfi -show_entries frame=pts_time -of csv=p=0 \"movie='" +
              Video("deep.mkv") + "',select='gt(scene\\," + threshold + ")'\" | tr -d ,"));
    for (double at = 0; lines >> at;) selected.push_back(static_cast<int>(at * 25 + 0.5));
    CHECK(taken == selected);
  }
}

TEST_CASE("--novelty takes each scene once, also one that comes again") {
  // The fifth scene is the first again.
  const std::vector<int> taken = Taken(Video("scenes.mp4"), {"--novelty", "0.3"});
  CHECK(taken == std::vector<int>{0, 10, 20, 30});
  CHECK(Taken(Video("scenes.mp4"), {"--novelty", "0"}).size() > 10);
  CHECK(Taken(Video("scenes.mp4"), {"--novelty", "2"}) == std::vector<int>{0});
}

TEST_CASE("rules are asked in turn, each of what is left") {
  CHECK(Taken(Video("scenes.mp4"), {"--every", "3", "--scene-change", "0.1"}) ==
        std::vector<int>{0, 12, 21, 30, 42});
  CHECK(Taken(Video("scenes.mp4"), {"--every-seconds", "0.2", "--novelty", "0.3"}) ==
        std::vector<int>{0, 12, 20, 32});
}

TEST_CASE("animations, pages and pictures that are looked at are written as they are") {
  for (const char* name : {"discs.gif", "discs.webp", "discs.png", "discs.jxl", "pages.tif"}) {
    CAPTURE(name);
    const std::string file = std::string(IMGMILL_SOURCE_DIR "/tests/golden/frames/") + name;
    const TestFolder where;
    REQUIRE(Run({"frames", file, "-o", where / "all"}).exit_code == 0);
    REQUIRE(Run({"frames", file, "-o", where / "some", "--scene-change", "0.001", "--novelty", "0.0001"})
                .exit_code == 0);
    const std::vector<nlohmann::json> some = Lines(where / "some/frames.jsonl");
    CHECK(some.size() >= 2);
    for (const nlohmann::json& line : some) {
      const std::string output = line["output"];
      CHECK(TestFolder::Read(where / ("some/" + output)) == TestFolder::Read(where / ("all/" + output)));
    }
  }
}

TEST_CASE("thresholds out of their range are refused") {
  const TestFolder where;
  for (const char* wrong : {"-0.1", "1.5", "much"})
    CHECK(Run({"frames", Video("bt709.mp4"), "-o", where / "out", "--scene-change", wrong}).exit_code == 2);
  CHECK(Run({"frames", Video("bt709.mp4"), "-o", where / "out", "--novelty", "2.5"}).exit_code == 2);
}

}  // namespace imgmill::video_test
