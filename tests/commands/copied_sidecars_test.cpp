// Captions that follow their image through upscale, and patterns that match none. The side-cars' own bytes
// are the oracle.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

void AddImages(const TestFolder& where) {
  fs::create_directories(where / "in/sub");
  fs::copy_file(SampleData() + "/clock.jpg", where / "in/a.jpg");
  fs::copy_file(SampleData() + "/icon_tiny.png", where / "in/sub/b.png");
  where.Write("in/a.txt", "a clock");
  where.Write("in/a.jpg.txt", "of all of its name");
  where.Write("in/sub/b.txt", "an icon");
}

ProcessResult Upscale(const TestFolder& where, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {"upscale", where / "in", "-o",     where / "out", "--method", "nearest",
                                    "--scale", "2",          "--json", "--sidecars",  "*.txt"};
  words.insert(words.end(), more.begin(), more.end());
  return Run(words);
}

constexpr char kNone[] = "no side-car matches *.caption\n";

}  // namespace

TEST_CASE("upscale copies side-cars beside its outputs, under their names") {
  const TestFolder where;
  AddImages(where);
  CHECK(Upscale(where, {"--dry-run"}).exit_code == 0);
  CHECK_FALSE(fs::exists(where / "out"));
  const ProcessResult run = Upscale(where);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.find("side-car") == std::string::npos);
  CHECK(Json(run)["outputs"].size() == 2);  // images only
  CHECK(TestFolder::Read(where / "out/a.txt") == "a clock");
  CHECK(TestFolder::Read(where / "out/a.png.txt") == "of all of its name");
  CHECK(TestFolder::Read(where / "out/sub/b.txt") == "an icon");
  CHECK(Run({"verify", where / "out"}).exit_code == 0);
  where.Write("out/sub/b.txt", "damage");
  CHECK(Run({"verify", where / "out"}).exit_code == 4);
}

TEST_CASE("a side-car that changes is copied again, and its image is not made again") {
  const TestFolder where;
  AddImages(where);
  REQUIRE(Run({"upscale", where / "in", "-o", where / "out", "--method", "nearest"}).exit_code == 0);
  CHECK_FALSE(fs::exists(where / "out/a.txt"));
  const auto written = fs::last_write_time(where / "out/a.png");
  const auto again = [&] {
    const ProcessResult run = Upscale(where);
    INFO(run.err);
    CHECK(Json(run)["skipped"] == 2);
    CHECK(fs::last_write_time(where / "out/a.png") == written);
    return run;
  };
  CHECK(Json(Upscale(where, {"--dry-run"}))["done"] == 2);  // there is something to do
  again();
  CHECK(TestFolder::Read(where / "out/a.txt") == "a clock");
  CHECK(Json(Upscale(where, {"--dry-run"}))["skipped"] == 2);
  where.Write("in/a.txt", "another caption");
  again();
  CHECK(TestFolder::Read(where / "out/a.txt") == "another caption");
  fs::remove(where / "out/a.txt");
  again();
  CHECK(TestFolder::Read(where / "out/a.txt") == "another caption");
  CHECK(Run({"verify", where / "out", "--sources"}).exit_code == 0);

  where.Write("out/a.txt", "edited by hand");
  const ProcessResult edited = again();
  CHECK(edited.exit_code == 0);
  CHECK(edited.err.find("out/a.txt was changed since the side-car was copied there") != std::string::npos);
  CHECK(TestFolder::Read(where / "out/a.txt") == "edited by hand");
}

TEST_CASE("a file of somebody in the place of a side-car's copy stops its image before it is made") {
  const TestFolder where;
  AddImages(where);
  where.Write("out/a.txt", "mine");
  for (const bool dry : {true, false}) {
    const ProcessResult run =
        Upscale(where, dry ? std::vector<std::string>{"--dry-run"} : std::vector<std::string>());
    CHECK(run.exit_code == 1);
    CHECK(run.err.find("out/a.txt exists already and is not a known output") != std::string::npos);
    CHECK_FALSE(fs::exists(where / "out/a.png"));
  }
  CHECK(TestFolder::Read(where / "out/a.txt") == "mine");
  CHECK(Upscale(where, {"--force"}).exit_code == 0);
  CHECK(TestFolder::Read(where / "out/a.txt") == "a clock");
}

TEST_CASE("captions go from tile through upscale into shards") {
  const TestFolder where;
  AddImages(where);
  where.Write("steps.yaml",
              "input: in\noutput: out\nsteps:\n"
              "  - tile: {size: 256, best: 1, sidecars: ['*.txt']}\n"
              "  - upscale: {method: nearest, scale: 2, sidecars: ['*.txt']}\n"
              "  - pack: {sidecars: ['*.txt']}\n");
  const ProcessResult run = Run({"run", where / "steps.yaml"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("side-car matches") == std::string::npos);
  CHECK(run.err.find("1 sample of 1 image and 2 side-cars") !=
        std::string::npos);  // b is too small for a tile
}

TEST_CASE("a pattern that no side-car matches is told of") {
  const TestFolder where;
  AddImages(where);
  const auto said = [&](std::vector<std::string> words, const std::string& patterns) {
    words.insert(words.end(), {"--sidecars", patterns, "--no-catalog"});
    const ProcessResult run = Run(words);
    INFO(run.err);
    CHECK(run.exit_code == 0);
    return run.err;
  };
  const std::vector<std::vector<std::string>> commands = {
      {"upscale", where / "in", "-o", where / "u", "--method", "nearest"},
      {"tile", where / "in", "-o", where / "t", "--size", "16"},
      {"pack", where / "in", "-o", where / "p"}};
  for (const std::vector<std::string>& command : commands) {
    CAPTURE(command.front());
    CHECK(said(command, "*.txt,*.caption").find(kNone) != std::string::npos);
  }
  CHECK(said({"pack", where / "in", "-o", where / "other"}, "*.txt").find("no side-car") ==
        std::string::npos);
  const auto filter = [&](const std::string& undo) {
    return std::vector<std::string>{"filter", where / "in", "--keep",    "short_side>=1", "--action",
                                    "copy",   "--to",       where / "f", "--undo-file",   where / undo};
  };
  CHECK(said(filter("1.tsv"), "*.caption").find("no side-car of the images that go matches *.caption\n") !=
        std::string::npos);
  CHECK(said(filter("2.tsv"), "*.txt").find("no side-car") == std::string::npos);
}

}  // namespace imgmill::process_test
