// What --action move did, undo takes back: paths, bytes and times.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "imgmill/base/path_text.h"
#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

std::map<std::string, int64_t> Times(const std::string& folder) {
  std::map<std::string, int64_t> times;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    struct stat info {};
    REQUIRE(::stat(entry.path().c_str(), &info) == 0);
    times[entry.path().string()] = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  }
  return times;
}

}  // namespace

TEST_CASE("undo after move restores paths, bytes and times") {
  const TestFolder where;
  CopySamples(where / "photos");
  std::filesystem::copy_file(SampleData() + "/marble.jpg", where / "photos/odd \xe4\nname.jpg");
  const FolderBytes bytes = ReadFolder(where / "photos");
  const auto times = Times(where / "photos");

  const ProcessResult moved = Run({"dedup", where / "photos", "--action", "move", "--move-to",
                                   where / "moved", "--catalog", where / "catalog", "--json"});
  INFO(moved.err);
  REQUIRE(moved.exit_code == 0);
  const nlohmann::json json = Json(moved);
  CHECK(json["acted"] == json["duplicates"]);
  CHECK(json["acted"] >= 8);
  CHECK(CountFiles(where / "moved") == json["acted"]);
  CHECK(ReadFolder(where / "photos").size() == bytes.size() - CountFiles(where / "moved"));

  const std::string undo_file = PathFromPrintable(json["undo_file"].get<std::string>());
  const ProcessResult undone = Run({"undo", undo_file});
  INFO(undone.err);
  CHECK(undone.exit_code == 0);
  CHECK(Difference(bytes, ReadFolder(where / "photos")) == "");
  CHECK(Times(where / "photos") == times);
  CHECK(CountFiles(where / "moved") == 0);
  CHECK(Run({"undo", undo_file}).exit_code == 0);  // safe to repeat
  CHECK(Difference(bytes, ReadFolder(where / "photos")) == "");
}

TEST_CASE("undo takes back a killed move and the run that completed it") {
  const TestFolder where;
  CopySamples(where / "photos");
  for (int i = 0; i < 120; ++i) {
    std::filesystem::copy_file(SampleData() + "/harbour.jpg",
                               where / ("photos/copy" + std::to_string(i) + ".jpg"));
  }
  const FolderBytes bytes = ReadFolder(where / "photos");
  const auto move = [&](const std::string& undo_file) {
    return std::vector<std::string>{"dedup",       where / "photos", "--action",  "move",
                                    "--move-to",   where / "moved",  "--catalog", where / "catalog",
                                    "--undo-file", where / undo_file};
  };
  // Among the moves, each of which is at least one such call.
  const KillOutcome outcome =
      KillAtCall(Imgmill(move("first.tsv")), WithState({}).environment, NameCalls(), 60);
  if (outcome == KillOutcome::kCannotTrace) {
    MESSAGE("SKIPPED: this system lets no process trace another");
    return;
  }
  CHECK(outcome == KillOutcome::kKilled);
  CHECK(CountFiles(where / "moved") > 10);
  CHECK(CountFiles(where / "moved") < 110);
  CHECK(CountFiles(where / "photos") + CountFiles(where / "moved") == bytes.size());

  SUBCASE("undone at once") {}
  SUBCASE("completed first") {
    CHECK(Run(move("second.tsv")).exit_code == 0);
    CHECK(CountFiles(where / "moved") >= 120);
    CHECK(Run({"undo", where / "second.tsv"}).exit_code == 0);
  }
  const ProcessResult undone = Run({"undo", where / "first.tsv"});
  INFO(undone.err);
  CHECK(undone.exit_code == 0);
  CHECK(Difference(bytes, ReadFolder(where / "photos")) == "");
  CHECK(CountFiles(where / "moved") == 0);
}

TEST_CASE("two moves within one second leave two undo files") {
  const TestFolder where;
  const FolderBytes bytes = [&] {
    CopySamples(where / "photos");
    return ReadFolder(where / "photos");
  }();
  std::vector<std::string> undo_files;
  for (const std::string distance : {"0", "4", "10"}) {
    const ProcessResult moved =
        Run({"dedup", where / "photos", "--max-distance", distance, "--action", "move", "--move-to",
             where / "moved", "--catalog", where / "catalog", "--json"});
    INFO(moved.err);
    CHECK(moved.exit_code == 0);
    const nlohmann::json json = Json(moved);
    if (json.contains("undo_file"))
      undo_files.push_back(PathFromPrintable(json["undo_file"].get<std::string>()));
  }
  CHECK(undo_files.size() >= 2);
  for (auto file = undo_files.rbegin(); file != undo_files.rend(); ++file) {
    CHECK(Run({"undo", *file}).exit_code == 0);
  }
  CHECK(Difference(bytes, ReadFolder(where / "photos")) == "");
}

TEST_CASE("undo removes the folders that the action made, and the mark in them") {
  for (const std::string action : {"move", "copy"}) {
    CAPTURE(action);
    const TestFolder where;
    CopySamples(where / "photos");  // with a folder of its own in it
    const auto filter = [&](const std::string& to) {
      const ProcessResult done =
          Run({"filter", where / "photos", "--keep", "width>100000", "--action", action, "--act-on",
               "dropped", "--to", to, "--catalog", where / "catalog", "--json"});
      INFO(done.err);
      REQUIRE(done.exit_code == 0);
      CHECK(std::filesystem::exists(to + "/.imgmill-set-aside"));
      CHECK(std::filesystem::exists(to + "/holiday"));
      return PathFromPrintable(Json(done)["undo_file"].get<std::string>());
    };
    REQUIRE(Run({"undo", filter(where / "new/folder/bad")}).exit_code == 0);
    CHECK_FALSE(std::filesystem::exists(where / "new"));

    std::filesystem::create_directories(where / "mine");  // was there, and stays
    REQUIRE(Run({"undo", filter(where / "mine/bad")}).exit_code == 0);
    CHECK(std::filesystem::is_empty(where / "mine"));
    REQUIRE(Run({"undo", filter(where / "mine")}).exit_code == 0);
    CHECK(std::filesystem::is_empty(where / "mine"));

    const std::string file = filter(where / "kept");
    where.Write("kept/holiday/notes.txt", "somebody's");
    REQUIRE(Run({"undo", file}).exit_code == 0);
    CHECK(std::filesystem::exists(where / "kept/holiday/notes.txt"));
    CHECK(std::filesystem::exists(where / "kept/.imgmill-set-aside"));  // may be an input of somebody's
    std::filesystem::remove(where / "kept/holiday/notes.txt");
    REQUIRE(Run({"undo", file}).exit_code == 0);  // again, now that nothing is in the way
    CHECK_FALSE(std::filesystem::exists(where / "kept"));
  }
}

TEST_CASE("undo leaves a folder that a later action has used, until that is undone") {
  const TestFolder where;
  CopySamples(where / "photos");
  std::vector<std::string> undo_files;
  for (const std::string width : {"width>300", "width>100000"}) {
    const ProcessResult done = Run({"filter", where / "photos", "--keep", width, "--action", "move", "--to",
                                    where / "bad", "--catalog", where / "catalog", "--json"});
    const nlohmann::json json = Json(done);
    if (json.contains("undo_file")) undo_files.push_back(json["undo_file"].get<std::string>());
  }
  REQUIRE(undo_files.size() == 2);
  REQUIRE(Run({"undo", undo_files[1]}).exit_code == 0);
  CHECK(std::filesystem::exists(where / "bad"));
  REQUIRE(Run({"undo", undo_files[0]}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(where / "bad"));
}

TEST_CASE("an undo file tells of which output folder the record is, wherever it and what was done lie") {
  for (const std::string step : {"filter: {keep: [\"width>0\"], action: copy, to: aside",
                                 "filter: {drop: [\"width>300\"], action: move, to: aside",
                                 "filter: {keep: [\"width>0\"], action: hardlink, to: aside",
                                 "filter: {keep: [\"width>0\"], action: symlink, to: aside",
                                 "dedup: {max-distance: 10, action: move, move-to: aside"}) {
    CAPTURE(step);
    const TestFolder where;
    CopySamples(where / "photos");
    std::ofstream(where / "steps.yaml")
        << "input: photos\noutput: out\nsteps:\n  - " << step << ", undo-file: undo.tsv}\n";
    REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
    const auto verified = [&] { return Json(Run({"verify", where / "out", "--json"}))["counts"]; };
    CHECK(verified()["as_written"] > 0);
    REQUIRE(Run({"undo", where / "undo.tsv"}).exit_code == 0);
    CHECK_FALSE(std::filesystem::exists(where / "aside"));
    CHECK(verified()["as_written"] == 0);
    CHECK(verified()["missing"] == 0);
  }
}

TEST_CASE("where all that is to be done is done already, there is neither an undo file nor a word of one") {
  for (const std::string action : {"copy", "hardlink", "symlink"}) {
    CAPTURE(action);
    const TestFolder where;
    CopySamples(where / "photos");
    const std::vector<std::string> words = {"filter",    where / "photos", "--keep", "width>0",
                                            "--action",  action,           "--to",   where / "kept",
                                            "--catalog", where / "catalog"};
    const auto undo_files = [&] {
      const auto files = std::filesystem::directory_iterator(where / "catalog");
      return std::count_if(begin(files), end(files),
                           [](const auto& each) { return each.path().extension() == ".tsv"; });
    };
    CHECK(Run(words).err.find("; undo with: ") != std::string::npos);
    CHECK(undo_files() == 1);
    for (int again = 0; again < 2; ++again) {
      const ProcessResult rerun = Run(words);
      CHECK(rerun.err.find(": 0 done, 30 already done before, 0 failed") != std::string::npos);
      CHECK(rerun.err.find("undo with") == std::string::npos);
      CHECK(undo_files() == 1);
    }
    // What is missing is done again, and can be undone.
    std::filesystem::remove(where / "kept/harbour.jpg");
    CHECK(Run(words).err.find("; undo with: ") != std::string::npos);
    CHECK(undo_files() == 2);
  }
}

TEST_CASE("a pipeline with an undo file can be run again, and what it then does has a file of its own") {
  const TestFolder where;
  CopySamples(where / "photos");
  std::ofstream(where / "steps.yaml")
      << "input: photos\noutput: out\nsteps:\n  - filter: {keep: [\"width>0\"], "
         "action: copy, to: kept, undo-file: undo.tsv}\n";
  const auto copies = [&] { return CountFiles(where / "kept"); };
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  const size_t all = copies();
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(where / "undo-2.tsv"));  // nothing was to be done
  std::filesystem::remove(where / "kept/harbour.jpg");
  REQUIRE(Run({"run", where / "steps.yaml", "--dry-run"}).exit_code == 0);
  const ProcessResult again = Run({"run", where / "steps.yaml"});
  CHECK(again.exit_code == 0);
  CHECK(again.err.find("undo with: imgmill undo " + (where / "undo-2.tsv")) != std::string::npos);
  CHECK(copies() == all);
  CHECK(Run({"undo", where / "undo-2.tsv"}).exit_code == 0);
  CHECK(copies() == all - 1);
  CHECK(Run({"undo", where / "undo.tsv"}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(where / "kept"));
}

}  // namespace imgmill::process_test
