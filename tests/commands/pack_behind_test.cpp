// A command with --pack: the shards are those that pack makes of the output folder afterwards, which is what
// the tests compare with; reruns, kills, what is refused. The archives are read by GNU tar.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "kill_at_call.h"
#include "program.h"
#include "shard_members.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Names whose files lie in another order than they do: img1_00000_00000.png is behind those of img10.
void MakeInput(const TestFolder& where) {
  PutSample(where, "clock.jpg", "in/img1.jpg");
  PutSample(where, "meadow.jpg", "in/img10.jpg");
  PutSample(where, "harbour.jpg", "in/img1/a.b.jpg");
  fs::copy_file(IMGMILL_SOURCE_DIR "/tests/golden/frames/discs.gif", where / "in/discs.gif");
  where.Write("in/img10.txt", "a meadow");
}

Words Tile(const TestFolder& where, const Words& more = {}) {
  return With({"tile", where / "in", "-o", where / "out", "--size", "128", "--sidecars", "*.txt"}, more);
}

FolderBytes PackedAfterwards(const TestFolder& where, const Words& options = {}) {
  REQUIRE(Run(With({"pack", where / "out", "-o", where / "afterwards"}, options)).exit_code == 0);
  return ReadFolder(where / "afterwards");
}

}  // namespace

TEST_CASE("what tile, frames and upscale wrote is packed as pack does it afterwards") {
  for (const Words& options : {Words{}, Words{"--shard-samples", "3"}, Words{"--shard-size", "60KiB"}}) {
    for (const Words& command :
         {Words{"tile", "--size", "128", "--sidecars", "*.txt"}, Words{"frames", "--format", "jpg"},
          Words{"upscale", "--method", "nearest", "--sidecars", "*.txt"}}) {
      CAPTURE(command.front());
      CAPTURE(options.size());
      const TestFolder where;
      MakeInput(where);
      const Words run = With(command, {"-o", where / "out", where / "in"});
      const ProcessResult done = Run(With(With(run, {"--pack", where / "shards"}), options));
      INFO(done.err);
      CHECK(done.exit_code == 0);
      const FolderBytes shards = ReadFolder(where / "shards");
      CHECK(Difference(PackedAfterwards(where, options), shards) == "");
      CHECK((shards.size() > 3) == !options.empty());  // index.json, members.jsonl, one shard or more

      // And the images are those of the command alone.
      const TestFolder alone;
      MakeInput(alone);
      REQUIRE(Run(With(command, {"-o", alone / "out", alone / "in"})).exit_code == 0);
      FolderBytes images = ReadFolder(where / "out"), expected = ReadFolder(alone / "out");
      for (const char* list : {"tiles.jsonl", "frames.jsonl"}) images.erase(list), expected.erase(list);
      CHECK(Difference(expected, images) == "");
    }
  }
}

TEST_CASE("captions that were copied beside the tiles are members of their samples") {
  const TestFolder where;
  MakeInput(where);
  REQUIRE(Run(Tile(where, {"--pack", where / "shards"})).exit_code == 0);
  const std::vector<std::string> members = MembersOf(where / "shards/shard-000000.tar");
  const auto tile = std::find(members.begin(), members.end(), "img10_00000_00000.png");
  REQUIRE(tile != members.end());
  CHECK(*std::next(tile) == "img10_00000_00000.txt");
  CHECK(Process({"/bin/tar", "-xOf", where / "shards/shard-000000.tar", "img10_00000_00000.txt"}, {})
            .Wait()
            .out == "a meadow");
}

TEST_CASE("the tiles of a pair are one sample") {
  const TestFolder where;
  for (const auto& [name, size] : {std::pair{"HQ/1.png", 256}, std::pair{"x2/1.png", 128}, {"x4/1.png", 64}})
    WritePicture(where / name, Draw(size, size, 1, [size = size](int64_t x, int64_t y, int) {
                   return static_cast<double>(x * 200 / size + y * 50 / size);
                 }));
  const Words tile = {"tile", where / "HQ", "--pair", where / "x2", "--size", "128", "-o"};
  REQUIRE(Run(With(tile, {where / "out", "--pack", where / "shards"})).exit_code == 0);
  std::vector<std::string> members = MembersOf(where / "shards/shard-000000.tar");
  CHECK(members.size() == 2 * 4);
  CHECK(std::count(members.begin(), members.end(), "HQ/1_00000_00128.LQ.png") == 1);
  CHECK(std::count(members.begin(), members.end(), "HQ/1_00000_00128.png") == 1);

  const Words several = With(tile, {where / "scales", "--pair", where / "x4", "--pack", where / "of_three"});
  CHECK(Run(With(several, {"--dry-run"})).exit_code == 0);
  CHECK_FALSE(TestFolder::Exists(where / "scales"));
  REQUIRE(Run(several).exit_code == 0);
  members = MembersOf(where / "of_three/shard-000000.tar");
  CHECK(members.size() == 3 * 4);
  CHECK(std::count(members.begin(), members.end(), "HQ/1_00000_00128.x4.png") == 1);
}

TEST_CASE("a rerun leaves the shards as they are, and counts both steps") {
  const TestFolder where;
  MakeInput(where);
  const Words words = Tile(where, {"--pack", where / "shards", "--shard-samples", "10", "--json"});
  const nlohmann::json first = Json(Run(words));
  REQUIRE(first["steps"].size() == 2);
  CHECK(first["steps"][0]["step"] == "tile");
  CHECK(first["steps"][1]["step"] == "pack");
  const uint64_t tiles = first["steps"][0]["tiles"];
  CHECK(tiles > 20);
  CHECK(first["steps"][1]["samples"] == tiles);
  const auto written = fs::last_write_time(where / "shards/shard-000000.tar");
  const FolderBytes shards = ReadFolder(where / "shards");

  const ProcessResult again = Run(words);
  CHECK(again.exit_code == 0);
  CHECK(Json(again)["steps"][1]["finished_before"] == first["steps"][1]["shards"]);
  CHECK(again.err.find("tile made " + std::to_string(tiles) + " files") != std::string::npos);
  CHECK(again.err.find("pack: " + std::to_string(tiles) + " samples") != std::string::npos);
  CHECK(fs::last_write_time(where / "shards/shard-000000.tar") == written);
  CHECK(Difference(shards, ReadFolder(where / "shards")) == "");

  // The command alone goes on from there, and verify of the output folder looks at the shards, too.
  CHECK(Json(Run(Tile(where, {"--json"})))["done"] == 0);
  CHECK(Run({"verify", where / "out"}).exit_code == 0);
  where.Write("shards/shard-000000.tar", "other");
  CHECK(Run({"verify", where / "out"}).exit_code == 4);
}

TEST_CASE("a dry run says what would be packed, and writes nothing") {
  const TestFolder where;
  MakeInput(where);
  const Words words = Tile(where, {"--pack", where / "shards"});
  const ProcessResult dry = Run(With(words, {"--dry-run", "--json"}));
  CHECK(dry.exit_code == 0);
  const nlohmann::json steps = Json(dry)["steps"];
  CHECK_FALSE(TestFolder::Exists(where / "out"));
  CHECK_FALSE(TestFolder::Exists(where / "shards"));
  const nlohmann::json done = Json(Run(With(words, {"--json"})))["steps"];
  CHECK(steps[1]["forecast"]["listed"] == done[1]["listed"]);
}

TEST_CASE("a broken image fails, the others are packed") {
  const TestFolder where;
  MakeInput(where);
  where.Write("in/broken.jpg", "no image");
  const ProcessResult run = Run(Tile(where, {"--pack", where / "shards"}));
  CHECK(run.exit_code == 1);
  CHECK(run.err.find("1 failed") != std::string::npos);
  CHECK(Difference(PackedAfterwards(where), ReadFolder(where / "shards")) == "");
}

TEST_CASE("--prune removes tiles and shards of an earlier run with more of them") {
  const TestFolder where;
  MakeInput(where);
  for (const Words& command : {Words{"tile", "--size", "128"}, Words{"upscale", "--method", "nearest"}}) {
    CAPTURE(command.front());
    const std::string out = where / (command.front() + "_out"), shards = where / (command.front() + "_tar");
    const Words words = With(command, {where / "in", "-o", out, "--pack", shards, "--shard-samples", "1"});
    fs::copy_file(where / "in/img1.jpg", where / "in/more.jpg");
    REQUIRE(Run(words).exit_code == 0);
    fs::remove(where / "in/more.jpg");
    const ProcessResult without = Run(words);
    CHECK(without.exit_code == 0);
    CHECK(without.err.find("(--prune removes them)") != std::string::npos);
    CHECK(Run(With(words, {"--prune"})).exit_code == 0);
    const Words fresh =
        With(command, {where / "in", "-o", out + "2", "--pack", shards + "2", "--shard-samples", "1"});
    REQUIRE(Run(fresh).exit_code == 0);
    FolderBytes expected = ReadFolder(shards + "2"), found = ReadFolder(shards);
    expected.erase("members.jsonl"), found.erase("members.jsonl");  // it names the output folder
    CHECK(Difference(expected, found) == "");
    CHECK(CountFiles(out) == CountFiles(out + "2"));
  }
}

TEST_CASE("killed at any call, it ends, run again, like one that was not") {
  const auto input = [](const TestFolder& where) {
    PutSample(where, "icon_tiny.png", "in/a.png");
    PutSample(where, "icon_tiny.png", "in/b.png");
  };
  const auto words = [](const TestFolder& where) {
    return Words{"upscale",        where / "in",      "-o", where / "out", "--method", "nearest", "--pack",
                 where / "shards", "--shard-samples", "1"};
  };
  const auto contents = [](const TestFolder& where) {
    FolderBytes all = ReadFolder(where / "shards");
    all.erase("members.jsonl");  // names the test's folder
    return all;
  };
  const TestFolder undisturbed;
  input(undisturbed);
  REQUIRE(Run(words(undisturbed)).exit_code == 0);
  const FolderBytes whole = contents(undisturbed);
  CHECK(whole.size() == 3);
  int points = 0;
  for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
    const TestFolder where;
    input(where);
    outcome = KillAtCall(Imgmill(words(where)), WithState({}).environment, NameCalls(), points + 1);
    if (outcome == KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this process may not trace others");
      return;
    }
    CAPTURE(points);
    CHECK(Run(words(where)).exit_code == 0);
    CHECK(Difference(whole, contents(where)) == "");
  }
  MESSAGE(points << " points");
  CHECK(points > 8);
}

TEST_CASE("what --pack cannot do is said before any work") {
  const TestFolder where;
  MakeInput(where);
  const auto refused = [&](const Words& words, const std::string& why) {
    const ProcessResult run = Run(words);
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find(why) != std::string::npos);
    CHECK_FALSE(TestFolder::Exists(where / "out"));
  };
  refused(Tile(where, {"--shard-size", "1MiB"}), "--shard-size goes with --pack DIR");
  refused(Tile(where, {"--shard-samples", "3"}), "--shard-samples goes with --pack DIR");
  refused({"upscale", where / "in", "-o", where / "out", "--method", "nearest", "--prune"},
          "--prune goes with --pack DIR");
  refused(Tile(where, {"--pack", where / "s", "--shard-size", "1"}), "--shard-size takes 10KiB or more");
  refused(Tile(where, {"--pack", where / "out/"}), "is the folder of the images themselves");
  refused(Tile(where, {"--pack", where / "in"}), "is an input folder, too");
  refused(Tile(where, {"--pack", where / "s.tar"}), "name it without .tar");
  for (const std::string command : {"embed", "match", "compare", "pack"})
    refused({command, where / "in", "--pack", where / "s"}, "unknown option \"--pack\"");
  where.Write("s/index.json", "of somebody else");
  const ProcessResult others = Run(Tile(where, {"--pack", where / "s"}));
  CHECK(others.exit_code == 3);  // as pack by itself
  CHECK(others.err.find("--pack: " + (where / "s/index.json") + " exists already") != std::string::npos);
  CHECK(CountFiles(where / "out") == 0);
}

}  // namespace imgmill::process_test
