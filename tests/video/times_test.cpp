// The manifest's times against ffprobe's, exactly; and frames by time.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "video/drawn_videos.h"

namespace imgmill::video_test {
namespace {

struct Shown {
  int64_t at = 0;
  int64_t lasts = 0;
};

std::vector<Shown> ProbedTimes(const std::string& video) {
  std::vector<Shown> times;
  std::istringstream text(
      Shell("ffprobe -v error -select_streams v:0 -show_entries "
            "frame=best_effort_timestamp,pkt_duration -of csv=p=0 '" +
            video + "' | tr ',' ' ' | sed 's,N/A,0,g; /^$/d'"));
  for (Shown each; text >> each.at >> each.lasts;) {
    times.push_back(each);
    text.ignore(100, '\n');
  }
  return times;
}

std::string ProbedBase(const std::string& video) {
  std::string base =
      Shell("ffprobe -v error -select_streams v:0 -show_entries stream=time_base -of csv=p=0 '" + video +
            "' | head -n 1");
  return base.substr(0, base.find_first_of(",\n"));
}

}  // namespace

TEST_CASE("times are ffprobe's, to the tick, and a frame lasts until the next") {
  for (const char* name : {"slowing.mp4", "slowing.mkv", "film.mkv", "mpeg2.ts", "mpeg4.avi", "bt709.mp4"}) {
    CAPTURE(name);
    const TestFolder where;
    REQUIRE(Run({"frames", Video(name), "-o", where / "out", "--format", "jpg"}).exit_code == 0);
    const std::vector<nlohmann::json> lines = Lines(where / "out/frames.jsonl");
    const std::vector<Shown> times = ProbedTimes(Video(name));
    REQUIRE(lines.size() == times.size());
    const std::string base = ProbedBase(Video(name));
    const double seconds = std::stod(base) / std::stod(base.substr(base.find('/') + 1));
    std::string last_name;
    for (size_t i = 0; i < lines.size(); ++i) {
      CAPTURE(i);
      const nlohmann::json& line = lines[i];
      CHECK(line["frame"] == i);
      CHECK(line["timestamp"] == times[i].at);
      CHECK(line["time_base"] == base);
      const double ms = static_cast<double>(times[i].at) * seconds * 1000;
      CHECK(line["timestamp_ms"].get<double>() == doctest::Approx(ms).epsilon(1e-9));
      const int64_t lasts = i + 1 < times.size() ? times[i + 1].at - times[i].at : times[i].lasts;
      CHECK(line["duration"] == (lasts > 0 ? nlohmann::json(lasts) : nlohmann::json()));
      const std::string output = line["output"];
      CHECK(output > last_name);  // names sort as frames do
      last_name = output;
    }
  }
}

TEST_CASE("--every-seconds takes the first frame at or behind each multiple") {
  const TestFolder where;
  // Frame n of slowing.mp4 is shown at 0.04 n + 0.004 n^2 seconds: 3, 5, 7, 9 and so on begin a new half
  // second.
  REQUIRE(Run({"frames", Video("slowing.mp4"), "-o", where / "out", "--every-seconds", "0.5"}).exit_code ==
          0);
  std::vector<int> expected;
  int next = 0;
  for (int n = 0; n < 25; ++n) {
    const int ms = 40 * n + 4 * n * n;
    if (ms < 500 * next) continue;
    expected.push_back(n);
    next = ms / 500 + 1;
  }
  std::vector<int> taken;
  for (const nlohmann::json& line : Lines(where / "out/frames.jsonl")) taken.push_back(line["frame"]);
  CHECK(taken == expected);
  CHECK(taken.size() > 4);
  // A frame lasts until the next one of the file, be that one taken or not.
  CHECK(Lines(where / "out/frames.jsonl").at(0)["duration"] == 3960);
  CHECK(Run({"frames", Video("slowing.mp4"), "-o", where / "no", "--every-seconds", "-1"}).exit_code == 2);
}

TEST_CASE("--every-seconds goes by the times of animations, too") {
  const TestFolder where;
  // discs.gif is drawn at 0, 100, 150, 220, 520 and 530 ms.
  REQUIRE(Run({"frames", IMGMILL_SOURCE_DIR "/tests/golden/frames/discs.gif", "-o", where / "out",
               "--every-seconds", "0.2"})
              .exit_code == 0);
  std::vector<int> taken;
  for (const nlohmann::json& line : Lines(where / "out/frames.jsonl")) taken.push_back(line["frame"]);
  CHECK(taken == std::vector<int>{0, 3, 4});
}

}  // namespace imgmill::video_test
