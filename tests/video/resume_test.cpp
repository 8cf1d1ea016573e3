// A run that is killed or stopped in the middle of a video goes on there, and ends with the same bytes.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <climits>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "commands/kill_at_call.h"
#include "video/drawn_videos.h"

namespace imgmill::video_test {
namespace {

namespace fs = std::filesystem;
using process_test::ChangingCalls;
using process_test::CountFiles;
using process_test::Difference;
using process_test::Imgmill;
using process_test::KillAtCall;
using process_test::Process;
using process_test::ReadFolder;
using process_test::WithState;

std::vector<std::string> Command(const TestFolder& where) {
  return {"frames", Video("scenes.mp4"), "-o",  where / "out", "--compression",
          "9",      "--every-seconds",   "0.01"};
}

/// Ends a run by `signal` once `files` frames are in place. @return the frames then; 0 if it was too late
size_t EndAt(const TestFolder& where, size_t files, int signal, int* exit_code) {
  fs::create_directories(where / "out");
  Process process(Imgmill(Command(where)), WithState({}));
  while (CountFiles(where / "out") < files) {
    if (process.Ended()) return 0;
    ::usleep(200);
  }
  process.Signal(signal);
  *exit_code = process.Wait().exit_code;
  return CountFiles(where / "out");
}

ino_t InodeOf(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_ino;
}

}  // namespace

TEST_CASE("a killed run goes on behind the frames that it has published") {
  const TestFolder undisturbed;
  REQUIRE(Run(Command(undisturbed)).exit_code == 0);
  const process_test::FolderBytes expected = ReadFolder(undisturbed / "out");
  const size_t whole = expected.size() - 1;
  REQUIRE(whole > 40);
  // The calls by which files change say when it is killed, not the clock.
  const std::vector<std::string> environment = WithState({}).environment;
  std::vector<long> calls;
  {
    const TestFolder counted;
    if (KillAtCall(Imgmill(Command(counted)), environment, ChangingCalls(), INT_MAX, &calls) ==
        process_test::KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this system lets no process trace another");
      return;
    }
  }
  constexpr int kKills = 6;
  const int span = static_cast<int>(calls.size()) / kKills;
  REQUIRE(span > 10);
  int midway = 0;
  for (int part = 0; part < kKills; ++part) {
    CAPTURE(part);
    std::mt19937 random(static_cast<unsigned>(part));
    const TestFolder where;
    KillAtCall(Imgmill(Command(where)), environment, ChangingCalls(),
               part * span + std::uniform_int_distribution<int>(1, span)(random));
    const size_t there = CountFiles(where / "out");
    const bool in_the_middle = there > 0 && there < whole;
    midway += in_the_middle ? 1 : 0;
    std::string first;
    ino_t inode = 0;
    if (in_the_middle) {
      CHECK_FALSE(fs::exists(where / "out/frames.jsonl"));
      first = where / "out/scenes_000000.png";
      inode = InodeOf(first);
    }
    REQUIRE(Run(Command(where)).exit_code == 0);
    CHECK(Difference(expected, ReadFolder(where / "out")) == "");
    if (in_the_middle) CHECK(InodeOf(first) == inode);  // not written again
  }
  CHECK(midway >= 3);
}

TEST_CASE("a signal stops a run between two frames, and a rerun resumes") {
  const TestFolder undisturbed;
  REQUIRE(Run(Command(undisturbed)).exit_code == 0);
  int stopped = 0;
  for (const size_t after : {size_t{1}, size_t{5}, size_t{9}, size_t{17}}) {
    CAPTURE(after);
    const TestFolder where;
    int exit_code = 0;
    if (EndAt(where, after, SIGTERM, &exit_code) > 0 && exit_code == 75) ++stopped;
    REQUIRE(Run(Command(where)).exit_code == 0);
    CHECK(Difference(ReadFolder(undisturbed / "out"), ReadFolder(where / "out")) == "");
  }
  CHECK(stopped >= 1);
}

TEST_CASE("a frame that was taken away is made again, and the others are left") {
  const TestFolder where;
  REQUIRE(Run(Command(where)).exit_code == 0);
  const process_test::FolderBytes expected = ReadFolder(where / "out");
  const ino_t inode = InodeOf(where / "out/scenes_000001.png");
  fs::remove(where / "out/scenes_000010.png");
  REQUIRE(Run(Command(where)).exit_code == 0);
  CHECK(Difference(expected, ReadFolder(where / "out")) == "");
  CHECK(InodeOf(where / "out/scenes_000001.png") == inode);
  const nlohmann::json again = Json(Run({"frames", Video("scenes.mp4"), "-o", where / "out", "--compression",
                                         "9", "--every-seconds", "0.01", "--json"}));
  CHECK(again["skipped"] == 1);
  CHECK(again["frames"] == expected.size() - 1);
}

TEST_CASE("frames of a file that was replaced do not stay") {
  const TestFolder where;
  fs::create_directories(where / "in");
  fs::copy_file(Video("slowing.mp4"), where / "in/clip.mp4");
  REQUIRE(Run({"frames", where / "in", "-o", where / "out"}).exit_code == 0);
  CHECK(CountFiles(where / "out") == 25 + 1);
  fs::copy_file(Video("talking.mp4"), where / "in/clip.mp4", fs::copy_options::overwrite_existing);
  REQUIRE(Run({"frames", where / "in", "-o", where / "out"}).exit_code == 0);
  CHECK(CountFiles(where / "out") == 10 + 1);
  CHECK(Lines(where / "out/frames.jsonl").size() == 10);
}

TEST_CASE("an index behind 32 MiB of pictures is found") {
  const TestFolder where;
  const std::string video = where / "large.mov";
  // 1.8 MB each, so that nothing but the index takes time.
  Shell("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=1280x720:r=25:d=1 -pix_fmt uyvy422 -c:v rawvideo '" +
        video + "'");
  REQUIRE(std::filesystem::file_size(video) > (32u << 20));
  const ProcessResult run = Run({"frames", video, "-o", where / "out", "--every", "10", "--format", "jpg"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("3 frames in") != std::string::npos);
}

TEST_CASE("the bytes are the same whatever the threads and the memory") {
  const TestFolder where;
  const auto command = [&](const std::string& out) {
    return std::vector<std::string>{"frames", Video("scenes.mp4"), Video("bt709.mp4"), Video("deep.mkv"),
                                    "-o",     where / out,         "--novelty",        "0.01"};
  };
  REQUIRE(Run(command("a")).exit_code == 0);
  std::vector<std::string> other = command("b");
  other.insert(other.end(), {"-j", "1", "--memory", "160MiB"});
  const ProcessResult small = Run(other);
  INFO(small.err);
  REQUIRE(small.exit_code == 0);
  CHECK(small.peak_resident <= size_t{160} << 20);
  CHECK(Difference(ReadFolder(where / "a"), ReadFolder(where / "b")) == "");
}

}  // namespace imgmill::video_test
