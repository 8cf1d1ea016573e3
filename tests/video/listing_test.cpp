// Where videos are input and where they are not: folders, other commands, pipelines.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "video/drawn_videos.h"

namespace imgmill::video_test {
namespace {

namespace fs = std::filesystem;

/// A folder with a picture, two videos, one of them named like a program, and a program named like a video.
void FillFolder(const TestFolder& where) {
  fs::create_directories(where / "in/sub");
  fs::copy_file(process_test::SampleData() + "/harbour.jpg", where / "in/still.jpg");
  fs::copy_file(Video("bt709.mp4"), where / "in/sub/CLIP.MP4");
  fs::copy_file(Video("mpeg2.ts"), where / "in/broadcast.ts");
  where.Write("in/program.ts", "const a = 1;\n");
  where.Write("in/readme", "no picture\n");
}

}  // namespace

TEST_CASE("frames finds videos in folders, and no programs") {
  const TestFolder where;
  FillFolder(where);
  const nlohmann::json document =
      Json(Run({"frames", where / "in", "-o", where / "out", "--every", "5", "--json"}));
  CHECK(document["done"] == 3);
  CHECK(document["ignored"] == 2);
  CHECK(document["failed"].empty());
  CHECK(fs::exists(where / "out/sub/CLIP_000005.png"));
  CHECK(fs::exists(where / "out/broadcast_000005.png"));
  CHECK(fs::exists(where / "out/still_000000.png"));
  // The names of a video and of a picture beside it are kept apart.
  fs::copy_file(where / "in/still.jpg", where / "in/broadcast.jpg");
  REQUIRE(Run({"frames", where / "in", "-o", where / "apart", "--every", "5"}).exit_code == 0);
  CHECK(fs::exists(where / "apart/broadcast.ts_000005.png"));
  CHECK(fs::exists(where / "apart/broadcast.jpg_000000.png"));
}

TEST_CASE("other commands pass videos over in folders, and say what one is if it is named") {
  const TestFolder where;
  FillFolder(where);
  const nlohmann::json document = Json(Run({"dedup", where / "in", "--json"}));
  CHECK(document["listed"] == 1);
  CHECK(document["ignored"] == 4);
  const ProcessResult named = Run({"dedup", Video("bt709.mp4"), Video("deep.mkv"), "--json"});
  CHECK(named.exit_code == 1);
  const nlohmann::json failures = Json(named);
  for (const nlohmann::json& failed : failures["failed"]) {
    CHECK(failed["code"] == "unsupported");
    CHECK(failed["message"].get<std::string>().find("imgmill frames writes") != std::string::npos);
  }
}

TEST_CASE("frames of a video are what the next step of a pipeline is given") {
  const TestFolder where;
  FillFolder(where);
  where.Write("pipeline.yaml", "input: " + where / "in" + "\noutput: " + where / "out" +
                                   "\nsteps:\n  - frames: {every: 5, format: png}\n  - tile: {size: 64}\n");
  const ProcessResult run = Run({"run", where / "pipeline.yaml", "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const nlohmann::json steps = Json(run)["steps"];
  REQUIRE(steps.size() == 2);
  CHECK(steps[0]["listed"] == 3);
  CHECK(steps[0]["frames"] == 1 + 2 + 2);
  CHECK(steps[1]["listed"] == 5);
  CHECK(steps[1]["done"] == 5);
  // With a first step that reads images they are none.
  where.Write("pipeline.yaml",
              "input: " + where / "in" + "\noutput: " + where / "other" +
                  "\nsteps:\n  - filter: {keep: [\"short_side>=1\"]}\n  - frames: {every: 5}\n");
  const ProcessResult filtered = Run({"run", where / "pipeline.yaml", "--json"});
  INFO(filtered.err);
  CHECK(Json(filtered)["steps"][0]["listed"] == 1);
}

TEST_CASE("a dry run writes nothing, and finds what would be in the way") {
  const TestFolder where;
  const ProcessResult dry = Run({"frames", Video("bt709.mp4"), "-o", where / "out", "--dry-run"});
  INFO(dry.err);
  CHECK(dry.exit_code == 0);
  CHECK_FALSE(fs::exists(where / "out"));
  fs::create_directories(where / "out");
  where.Write("out/bt709_000003.png", "not ours");
  const ProcessResult refused = Run({"frames", Video("bt709.mp4"), "-o", where / "out", "--dry-run"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("bt709_000003.png exists already") != std::string::npos);
}

}  // namespace imgmill::video_test
