// What a pack leaves of an earlier set: all of it where images are missing rather than gone on purpose, and
// with --prune no shard behind its own last one.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

void Put(const TestFolder& where, const std::string& sample, const std::string& as) {
  fs::create_directories(fs::path(where / as).parent_path());
  fs::copy_file(SampleData() + "/" + sample, where / as);
}

/// Two folders of two photos each.
void MakeInput(const TestFolder& where) {
  Put(where, "clock.jpg", "a/1.jpg");
  Put(where, "forest.jpg", "a/2.jpg");
  Put(where, "meadow.jpg", "b/3.jpg");
  Put(where, "harbour.jpg", "b/4.jpg");
}

void Empty(const std::string& folder) {
  fs::remove_all(folder);
  fs::create_directory(folder);
}

std::vector<std::string> Shards(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : ReadFolder(folder)) {
    if (name.ends_with(".tar")) names.push_back(name);
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("an input folder that is empty now leaves the set alone that has images of it") {
  for (const std::string format : {"tar", "lmdb"}) {
    CAPTURE(format);
    const TestFolder where;
    MakeInput(where);
    fs::create_directory(where / "never");
    const std::vector<std::string> pack = {"pack", where / "a",   where / "b", where / "never",
                                           "-o",   where / "out", "--format",  format};
    REQUIRE(Run(pack).exit_code == 0);  // a folder that was empty before is nobody's loss
    const FolderBytes whole = ReadFolder(where / "out");
    CHECK(Run(pack).exit_code == 0);
    Empty(where / "b");
    for (const bool dry : {true, false}) {
      std::vector<std::string> words = pack;
      if (dry) words.emplace_back("--dry-run");
      const ProcessResult left = Run(words);
      CHECK(left.exit_code == 1);
      CHECK(left.err.find("what is there is left as it is, as " + (where / "b") + " is empty") !=
            std::string::npos);
      CHECK(Difference(whole, ReadFolder(where / "out")) == "");
    }
    std::vector<std::string> forced = pack;
    forced.emplace_back("--force");
    CHECK(Run(forced).exit_code == 0);
    CHECK(Difference(whole, ReadFolder(where / "out")) != "");
    CHECK(Run(pack).exit_code == 0);  // said once is enough
  }
}

TEST_CASE("in a pipeline, too, behind a step that makes files of the images") {
  for (const std::string step : {"filter: {keep: [\"width>0\"]}", "tile: {size: 64, best: 1}"}) {
    CAPTURE(step);
    const TestFolder where;
    MakeInput(where);
    std::ofstream(where / "steps.yaml") << "input: [a, b]\noutput: out\nsteps:\n  - " << step
                                        << "\n  - upscale: {method: nearest}\n  - pack: {}\n";
    REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
    const FolderBytes whole = ReadFolder(where / "out/pack");
    Empty(where / "b");
    const ProcessResult left = Run({"run", where / "steps.yaml"});
    CHECK(left.exit_code == 1);
    CHECK(left.err.find("is empty, and images of it are packed") != std::string::npos);
    CHECK(Difference(whole, ReadFolder(where / "out/pack")) == "");
  }
}

TEST_CASE("--force with no image at all does not empty the lists of a set") {
  for (const std::string format : {"tar", "lmdb"}) {
    CAPTURE(format);
    const TestFolder where;
    MakeInput(where);
    const std::vector<std::string> pack = {"pack",     where / "a", "-o",     where / "out",
                                           "--format", format,      "--force"};
    REQUIRE(Run(pack).exit_code == 0);
    const FolderBytes whole = ReadFolder(where / "out");
    Empty(where / "a");
    CHECK(Run(pack).exit_code == 1);
    CHECK(Difference(whole, ReadFolder(where / "out")) == "");
    fs::remove(where / "a");
    CHECK(Run(pack).exit_code == 1);
    CHECK(Difference(whole, ReadFolder(where / "out")) == "");
  }
}

TEST_CASE("--prune removes the shards behind the last one that are as an earlier run wrote them") {
  const TestFolder where;
  MakeInput(where);
  std::vector<std::string> pack = {"pack", where / "a", where / "b", "-o", where / "out"};
  REQUIRE(Run({"pack", where / "a", "-o", where / "out", "--prefix", "other"}).exit_code == 0);
  std::vector<std::string> small = pack;
  small.insert(small.end(), {"--shard-samples", "1"});
  REQUIRE(Run(small).exit_code == 0);
  where.Write("out/shard-000009.tar", "somebody's");
  where.Write("out/shard-2.tar", "somebody's");
  std::ofstream(where / "out/shard-000002.tar", std::ios::app) << "changed";
  REQUIRE(Run(pack).exit_code == 0);  // the lists know only one shard now
  pack.insert(pack.end(), {"--prune", "--json"});
  std::vector<std::string> dry = pack;
  dry.emplace_back("--dry-run");
  CHECK(Json(Run(dry))["to_remove"] == 2);
  CHECK(Shards(where / "out").size() == 7);
  const ProcessResult pruned = Run(pack);
  CHECK(Json(pruned)["pruned"] == 2);
  CHECK(pruned.err.find("2 shards of an earlier run removed") != std::string::npos);
  CHECK(Shards(where / "out") ==
        Names{"other-000000.tar", "shard-000000.tar", "shard-000002.tar", "shard-000009.tar", "shard-2.tar"});
  fs::remove(where / "out/shard-000002.tar");
  CHECK(Run({"verify", where / "out", "--forget"}).exit_code == 4);  // that one was deleted by hand
  CHECK(Run({"verify", where / "out"}).exit_code == 0);  // those that were removed are not missing
  REQUIRE(Run(small).exit_code == 0);
  CHECK(Shards(where / "out").size() == 1 + 4 + 2);
}

TEST_CASE("pack --prune that is killed at any call ends, run again, like one that was not") {
  int points = 0;
  for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
    const TestFolder where;
    MakeInput(where);
    REQUIRE(Run({"pack", where / "a", where / "b", "-o", where / "out", "--shard-samples", "1"}).exit_code ==
            0);
    const std::vector<std::string> words = {"pack", where / "a", where / "b", "-o", where / "out", "--prune"};
    outcome = KillAtCall(Imgmill(words), WithState({}).environment, NameCalls(), points + 1);
    if (outcome == KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this process may not trace others");
      return;
    }
    CAPTURE(points);
    CHECK(Run(words).exit_code == 0);
    CHECK(Shards(where / "out") == Names{"shard-000000.tar"});
    CHECK(Run({"verify", where / "out"}).exit_code == 0);
  }
  MESSAGE(points << " points");
  CHECK(points > 5);
}

}  // namespace imgmill::process_test
