// What a pipeline's filter has copied, linked or moved is on the output folder's record, as tiles are: verify
// checks it, explain tells its way, run --prune removes it, and undo takes it off the record.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// Two photos of 480 pixels' width, two of 640 and more, with a caption each.
void CopyPhotos(const TestFolder& where) {
  fs::create_directories(where / "photos");
  for (const std::string name : {"harbour", "marble", "mountains", "dunes"}) {
    const std::string from = SampleData() + (name == "dunes" ? "/holiday/" : "/") + name + ".jpg";
    fs::copy_file(from, where / ("photos/" + name + ".jpg"));
    where.Write("photos/" + name + ".txt", "caption of " + name);
  }
}

/// @param rule  that a photo must satisfy
std::string WriteSteps(const TestFolder& where, const std::string& action, const std::string& rule,
                       const std::string& more = {}) {
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nsteps:\n  - filter: {keep: [\"" << rule
                                      << "\"], action: " << action << ", to: out/good" << more << "}\n";
  return where / "steps.yaml";
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : ReadFolder(folder)) {
    if (!name.starts_with('.')) names.push_back(name);
  }
  return names;
}

const std::vector<std::string> kAll = {"dunes.jpg", "harbour.jpg", "marble.jpg", "mountains.jpg"};
/// An animation of six frames.
const std::string kDiscs = IMGMILL_SOURCE_DIR "/tests/golden/frames/discs.gif";
const std::string kEach = "width>0";
const std::string kHarbour = "aspect>1.4";

/// The names of which the rule lets through less than all.
std::vector<std::string> Passing(const TestFolder& where, const std::string& rule) {
  const nlohmann::json kept =
      Json(Run({"filter", where / "photos", "--keep", rule, "--no-catalog", "--json"}))["kept_images"];
  std::vector<std::string> names;
  for (const auto& path : kept) names.push_back(fs::path(path.get<std::string>()).filename());
  return names;
}

}  // namespace

TEST_CASE("verify and explain know what a pipeline's filter has copied, linked or moved") {
  for (const std::string action : {"copy", "hardlink", "symlink", "move, act-on: kept"}) {
    CAPTURE(action);
    const TestFolder where;
    CopyPhotos(where);
    REQUIRE(Run({"run", WriteSteps(where, action, kEach)}).exit_code == 0);
    CHECK(NamesIn(where / "out/good") == kAll);
    const bool moves = action.starts_with("move");
    const ProcessResult verified = Run({"verify", where / "out", "--sources", "--json"});
    CHECK(verified.exit_code == 0);
    CHECK(Json(verified)["counts"]["as_written"] == 4);
    CHECK(Json(verified)["findings"].empty());

    const nlohmann::json way = Json(Run({"explain", where / "out/good/marble.jpg", "--json"}))["files"][0];
    CHECK(way["steps"][0]["made_by"] == "filter/1 " + action.substr(0, action.find(',')) + " to good");
    CHECK(way["steps"][0]["source"] == where / "photos/marble.jpg");
    CHECK(way["steps"][0]["source_state"] == (moves ? "moved from there" : "as it was"));
    // Again: nothing to do, and the record stays.
    REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
    CHECK(Run({"verify", where / "out"}).exit_code == 0);

    fs::remove(where / "out/good/dunes.jpg");
    if (action != "symlink" && action != "hardlink")
      std::ofstream(where / "out/good/marble.jpg", std::ios::app) << "changed";
    const nlohmann::json counts = Json(Run({"verify", where / "out", "--json"}))["counts"];
    CHECK(counts["missing"] == 1);
    CHECK(counts["changed"] == (action.starts_with("copy") || moves ? 1 : 0));
    CHECK(counts["unknown"] == 0);
  }
}

TEST_CASE("a later step's way leads through the file that filter moved, to where that came from") {
  const TestFolder where;
  CopyPhotos(where);
  const std::string steps = WriteSteps(where, "move, act-on: kept", kEach);
  std::ofstream(steps, std::ios::app) << "  - tile: {size: 256}\n";
  REQUIRE(Run({"run", steps}).exit_code == 0);
  const nlohmann::json way =
      Json(Run({"explain", where / "out/tile/marble_00000_00000.png", "--json"}))["files"][0]["steps"];
  REQUIRE(way.size() == 2);
  CHECK(way[0]["source"] == where / "out/good/marble.jpg");
  CHECK(way[1]["source"] == where / "photos/marble.jpg");
}

TEST_CASE("side-cars that go along are on the record, too") {
  const TestFolder where;
  CopyPhotos(where);
  REQUIRE(Run({"run", WriteSteps(where, "copy", kEach, ", sidecars: \"*.txt\"")}).exit_code == 0);
  CHECK(Json(Run({"verify", where / "out", "--json"}))["counts"]["as_written"] == 8);
  where.Write("out/good/marble.txt", "another caption");
  CHECK(Run({"verify", where / "out"}).out == "changed  " + (where / "out/good/marble.txt") + "\n");
}

TEST_CASE("copies of images that are let through no more are told, and removed with --prune") {
  for (const std::string action : {"copy", "hardlink", "symlink"}) {
    CAPTURE(action);
    const TestFolder where;
    CopyPhotos(where);
    const std::string more = action == "copy" ? ", sidecars: \"*.txt\"" : "";
    const size_t each = more.empty() ? 1 : 2;
    REQUIRE(Run({"run", WriteSteps(where, action, kEach, more)}).exit_code == 0);
    where.Write("out/good/mine.jpg", "somebody's");
    const std::string narrow = WriteSteps(where, action, kHarbour, more);
    const std::vector<std::string> passing = Passing(where, kHarbour);
    REQUIRE(!passing.empty());
    REQUIRE(passing.size() < 4);
    const size_t left = (4 - passing.size()) * each;

    const ProcessResult told = Run({"run", narrow, "--json"});
    CHECK(Json(told)["steps"][0]["files_of_earlier_runs"] == left);
    CHECK(told.err.find("(--prune removes them)") != std::string::npos);
    const ProcessResult rehearsed = Run({"run", narrow, "--prune", "--dry-run"});
    CHECK(rehearsed.err.find("they would be removed") != std::string::npos);
    CHECK(NamesIn(where / "out/good").size() == 4 * each + 1);

    CHECK(Json(Run({"run", narrow, "--prune", "--json"}))["steps"][0]["removed_files_of_earlier_runs"] ==
          left);
    std::vector<std::string> expected = passing;
    if (each == 2) {
      for (const std::string& name : passing) expected.push_back(name.substr(0, name.size() - 3) + "txt");
    }
    expected.emplace_back("mine.jpg");
    std::ranges::sort(expected);
    CHECK(NamesIn(where / "out/good") == expected);
    CHECK(NamesIn(where / "photos").size() == 8);
    // Gone on purpose is not missing.
    CHECK(Run({"verify", where / "out"}).out == "unknown  " + (where / "out/good/mine.jpg") + "\n");
    // Wanted again, they are copied again.
    REQUIRE(Run({"run", WriteSteps(where, action, kEach, more), "--prune"}).exit_code == 0);
    CHECK(NamesIn(where / "out/good").size() == 4 * each + 1);
  }
}

TEST_CASE("prune leaves the last copy of an image, and what was moved") {
  const TestFolder where;
  CopyPhotos(where);
  REQUIRE(Run({"run", WriteSteps(where, "copy", kEach)}).exit_code == 0);
  fs::remove(where / "photos/dunes.jpg");
  std::ofstream(where / "photos/marble.jpg", std::ios::app) << "changed";
  const ProcessResult pruned = Run({"run", WriteSteps(where, "copy", "width>100000"), "--prune", "--json"});
  CHECK(Json(pruned)["steps"][0]["removed_files_of_earlier_runs"] == 2);
  CHECK(Json(pruned)["steps"][0]["files_of_earlier_runs"] == 2);
  CHECK(
      pruned.err.find("of images that are gone or changed, and maybe the last copies, and so not removed") !=
      std::string::npos);
  CHECK(NamesIn(where / "out/good") == std::vector<std::string>{"dunes.jpg", "marble.jpg"});

  const TestFolder other;
  CopyPhotos(other);
  REQUIRE(Run({"run", WriteSteps(other, "move, act-on: kept", "width>0")}).exit_code == 0);
  fs::copy_file(SampleData() + "/harbour.jpg", other / "photos/new.jpg");
  for (const std::string action : {"move, act-on: kept", "copy"}) {
    const ProcessResult again = Run({"run", WriteSteps(other, action, "width>100000"), "--prune"});
    CHECK(again.err.find("earlier runs") == std::string::npos);
    CHECK(NamesIn(other / "out/good") == kAll);
  }
}

TEST_CASE(
    "prune takes the copies of frames along with the frames, and leaves those of the user's own images") {
  for (const std::string action : {"copy", "hardlink", "symlink"}) {
    CAPTURE(action);
    const TestFolder where;
    fs::create_directories(where / "films");
    for (const std::string name : {"one.gif", "two.gif"}) fs::copy_file(kDiscs, where / ("films/" + name));
    std::ofstream(where / "steps.yaml") << "input: films\noutput: out\nsteps:\n  - frames: {every: 2}\n"
                                           "  - filter: {keep: [\"width>0\"], action: "
                                        << action << ", to: kept}\n";
    const std::string steps = where / "steps.yaml";
    REQUIRE(Run({"run", steps}).exit_code == 0);
    const std::vector<std::string> both = NamesIn(where / "kept");
    REQUIRE(both.size() >= 2);
    fs::remove(where / "films/two.gif");
    const nlohmann::json planned = Json(Run({"run", steps, "--prune", "--dry-run", "--json"}))["steps"];
    CHECK(planned[1]["forecast"]["to_remove"] == both.size() / 2);
    const ProcessResult pruned = Run({"run", steps, "--prune", "--json"});
    INFO(pruned.err);
    CHECK(Json(pruned)["steps"][1]["removed_files_of_earlier_runs"] == both.size() / 2);
    CHECK(pruned.err.find("last copies") == std::string::npos);
    CHECK(NamesIn(where / "kept").size() == both.size() / 2);
    CHECK(Run({"verify", where / "out"}).exit_code == 0);
  }
}

TEST_CASE("copies of frames that were removed by an earlier run are pruned, changed ones stay") {
  const TestFolder where;
  fs::create_directories(where / "films");
  for (const std::string name : {"one.gif", "two.gif"}) fs::copy_file(kDiscs, where / ("films/" + name));
  const auto steps = [&](const std::string& more) {
    std::ofstream(where / "steps.yaml") << "input: films\noutput: out\nsteps:\n  - frames: {every: 2}\n"
                                        << more;
    return where / "steps.yaml";
  };
  const std::string copies = "  - filter: {keep: [\"width>0\"], action: copy, to: kept}\n";
  REQUIRE(Run({"run", steps(copies)}).exit_code == 0);
  const std::vector<std::string> both = NamesIn(where / "kept");
  fs::remove(where / "films/two.gif");
  REQUIRE(Run({"run", steps(""), "--prune"}).exit_code == 0);
  CHECK(NamesIn(where / "kept") == both);
  const std::string last = where / ("kept/" + both.back());
  std::ofstream(last, std::ios::app) << "mine";
  const ProcessResult pruned = Run({"run", steps(copies), "--prune", "--json"});
  CHECK(Json(pruned)["steps"][1]["removed_files_of_earlier_runs"] == both.size() / 2 - 1);
  CHECK(Json(pruned)["steps"][1]["files_of_earlier_runs"] == 1);
  CHECK(fs::exists(last));
}

TEST_CASE("a copy that somebody else has made is not taken for imgmill's") {
  const TestFolder where;
  CopyPhotos(where);
  const std::string mine = where.Write("out/good/marble.jpg", TestFolder::Read(where / "photos/marble.jpg"));
  fs::last_write_time(mine, fs::last_write_time(mine) - std::chrono::hours(5));
  REQUIRE(Run({"run", WriteSteps(where, "copy", kEach)}).exit_code == 0);
  CHECK(NamesIn(where / "out/good") == kAll);
  CHECK(Run({"verify", where / "out"}).out == "unknown  " + mine + "\n");
  REQUIRE(Run({"run", WriteSteps(where, "copy", "width>100000"), "--prune"}).exit_code == 0);
  CHECK(NamesIn(where / "out/good") == std::vector<std::string>{"marble.jpg"});
}

TEST_CASE("what an undo has taken away is missing to nobody") {
  for (const std::string action : {"copy", "symlink", "move, act-on: kept"}) {
    for (const std::string file : {"", ", undo-file: undo.tsv"}) {
      CAPTURE(action);
      CAPTURE(file);
      const TestFolder where;
      CopyPhotos(where);
      const FolderBytes before = ReadFolder(where / "photos");
      const nlohmann::json ran = Json(Run({"run", WriteSteps(where, action, kEach, file), "--json"}));
      const ProcessResult undone = Run({"undo", ran["steps"][0]["undo_file"].get<std::string>()});
      INFO(undone.err);
      CHECK(undone.exit_code == 0);
      CHECK(NamesIn(where / "out/good").empty());
      CHECK(Difference(before, ReadFolder(where / "photos")) == "");
      const ProcessResult verified = Run({"verify", where / "out"});
      CHECK(verified.out == "");
      CHECK(verified.exit_code == 0);
      // And may be done again.
      fs::remove(where / "undo.tsv");
      REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
      CHECK(NamesIn(where / "out/good") == kAll);
      CHECK(Json(Run({"verify", where / "out", "--json"}))["counts"]["as_written"] == 4);
    }
  }
}

TEST_CASE("copies from an archive are on the record, and prune looks for their originals in it") {
  const TestFolder where;
  CopyPhotos(where);
  REQUIRE(Run({"pack", where / "photos", "-o", where / "shards", "--sidecars", "none"}).exit_code == 0);
  fs::remove_all(where / "photos");
  fs::rename(where / "shards/shard-000000.tar", where / "photos.tar");
  const auto steps = [&](const std::string& rule) {
    std::ofstream(where / "steps.yaml") << "input: photos.tar\noutput: out\nsteps:\n  - filter: {keep: [\""
                                        << rule << "\"], action: copy, to: out/good}\n";
    return where / "steps.yaml";
  };
  REQUIRE(Run({"run", steps(kEach)}).exit_code == 0);
  CHECK(Run({"verify", where / "out", "--sources"}).exit_code == 0);
  CHECK(Json(Run({"run", steps("width>100000"), "--prune",
                  "--json"}))["steps"][0]["removed_files_of_earlier_runs"] == 4);
  CHECK(NamesIn(where / "out/good").empty());
}

TEST_CASE("a pipeline that copies or moves, killed at any call and run again, has a whole record") {
  std::set<long> calls = NameCalls();
  calls.insert(SYS_fdatasync);  // when all is done, too, and only the record and the undo file's end are left
  for (const bool moves : {false, true}) {
    CAPTURE(moves);
    int points = 0;
    for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
      const TestFolder where;
      CopyPhotos(where);
      const std::vector<std::string> words = {
          "run", WriteSteps(where, moves ? "move, act-on: kept" : "copy", kEach, ", sidecars: \"*.txt\""),
          "-j1"};
      outcome = KillAtCall(Imgmill(words), WithState({}).environment, calls, points + 1);
      if (outcome == KillOutcome::kCannotTrace) {
        MESSAGE("SKIPPED: this process may not trace others");
        return;
      }
      CAPTURE(points);
      CHECK(Run(words).exit_code == 0);
      const nlohmann::json counts = Json(Run({"verify", where / "out", "--json"}))["counts"];
      CHECK(counts["as_written"] == 8);
      CHECK(counts["unknown"] == 0);
      CHECK(counts["missing"] == 0);
    }
    MESSAGE(points << " points");
    CHECK(points > 8);
  }
}

TEST_CASE("prune of copies that is killed at any call ends, run again, like one that was not") {
  int points = 0;
  for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
    const TestFolder where;
    CopyPhotos(where);
    REQUIRE(Run({"run", WriteSteps(where, "copy", kEach)}).exit_code == 0);
    const std::vector<std::string> words = {"run", WriteSteps(where, "copy", kHarbour), "--prune"};
    outcome = KillAtCall(Imgmill(words), WithState({}).environment, NameCalls(), points + 1);
    if (outcome == KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this process may not trace others");
      return;
    }
    CAPTURE(points);
    CHECK(Run(words).exit_code == 0);
    CHECK(NamesIn(where / "out/good") == Passing(where, kHarbour));
    CHECK(Run({"verify", where / "out"}).exit_code == 0);
  }
  MESSAGE(points << " points");
  CHECK(points > 4);
}

}  // namespace imgmill::process_test
