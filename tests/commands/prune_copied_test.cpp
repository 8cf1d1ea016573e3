// --prune in a project that was copied, or in a folder that several runs share: what was made of images
// elsewhere stays, and is told with a way to be rid of it.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// Two photos, and a pipeline that copies and cuts them.
void MakeProject(const TestFolder& where) {
  fs::create_directories(where / "old/photos");
  for (const std::string name : {"harbour.jpg", "marble.jpg"})
    fs::copy_file(SampleData() + "/" + name, where / ("old/photos/" + name));
  where.Write(
      "old/steps.yaml",
      "input: photos\noutput: out\nsteps:\n  - filter: {keep: [\"width>0\"], action: copy, to: chosen}\n"
      "  - tile: {size: 128}\n");
}

/// A copy of it, of which one photo is removed.
void CopyProject(const TestFolder& where) {
  fs::copy(where / "old", where / "new", fs::copy_options::recursive);
  fs::remove(where / "new/photos/marble.jpg");
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : ReadFolder(folder)) names.push_back(name);
  return names;
}

size_t Of(const std::string& name, const std::string& folder) {
  size_t count = 0;
  for (const auto& [path, bytes] : ReadFolder(folder))
    count += path.starts_with(name + ".") || path.starts_with(name + "_") ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("run --prune in a copied project tells what it leaves, and why") {
  const TestFolder where;
  MakeProject(where);
  REQUIRE(Run({"run", where / "old/steps.yaml"}).exit_code == 0);
  CopyProject(where);
  const size_t tiles = Of("marble", where / "new/out/tile");
  REQUIRE(tiles > 1);
  // Without --prune nothing was asked: another pipeline may well have the same output folder.
  const ProcessResult without = Run({"run", where / "new/steps.yaml"});
  CHECK(without.exit_code == 0);
  CHECK(without.err.find("no input of this run") == std::string::npos);

  for (const bool dry : {true, false}) {
    std::vector<std::string> words = {"run", where / "new/steps.yaml", "--prune", "--json"};
    if (dry) words.emplace_back("--dry-run");
    const ProcessResult run = Run(words);
    INFO(run.err);
    CHECK(run.exit_code == 0);
    const nlohmann::json steps = Json(run)["steps"];
    if (!dry) CHECK(steps[0]["files_of_other_inputs"] == 1);
    CHECK(steps[1]["files_of_other_inputs"] == tiles);
    CHECK(run.err.find("tile: " + std::to_string(tiles) + " files of earlier runs in " +
                       (where / "new/out/tile") + " stay, such as " +
                       (where / "new/out/tile/marble_00000_00000.png") +
                       ": made of what is there, but no input of this run, such as " +
                       (where / "old/photos/marble.jpg")) != std::string::npos);
    const std::string copies = "filter: 1 file of earlier runs in " + (where / "new/chosen");
    CHECK((run.err.find(copies) != std::string::npos) == !dry);
    CHECK(run.err.find("imgmill verify " + (where / "new/out") + " --manifest FILE") != std::string::npos);
    CHECK(Of("marble", where / "new/out/tile") == tiles);
  }

  // The way that the message names.
  REQUIRE(Run({"verify", where / "new/out", "--manifest", where / "files.jsonl"}).exit_code == 0);
  std::ifstream lines(where / "files.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json file = nlohmann::json::parse(line);
    if (file["source"].get<std::string>().starts_with(where / "old/"))
      fs::remove(file["output"].get<std::string>());
  }
  CHECK(Of("marble", where / "new/out/tile") == 0);
  CHECK(Of("harbour", where / "new/out/tile") > 1);
  CHECK(NamesIn(where / "new/chosen") == std::vector<std::string>{"harbour.jpg"});
  const ProcessResult rid = Run({"run", where / "new/steps.yaml", "--prune"});
  CHECK(rid.exit_code == 0);
  CHECK(rid.err.find("no input of this run") == std::string::npos);
}

TEST_CASE("what the original of a copied project no longer has is removed") {
  const TestFolder where;
  MakeProject(where);
  REQUIRE(Run({"run", where / "old/steps.yaml"}).exit_code == 0);
  CopyProject(where);
  fs::remove_all(where / "old/photos");
  const ProcessResult run = Run({"run", where / "new/steps.yaml", "--prune"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("no input of this run") == std::string::npos);
  CHECK(Of("marble", where / "new/out/tile") == 0);
}

TEST_CASE("tile --prune tells of the tiles of other folders' images") {
  const TestFolder where;
  MakeProject(where);
  fs::create_directories(where / "more");
  fs::copy_file(SampleData() + "/clock.jpg", where / "more/clock.jpg");
  const std::vector<std::string> tile = {"-o", where / "tiles", "--size", "128", "--json"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), tile.begin(), tile.end());
    return Run(words);
  };
  REQUIRE(run({"tile", where / "old/photos"}).exit_code == 0);
  const size_t others = CountFiles(where / "tiles") - 1;  // tiles.jsonl
  CHECK_FALSE(Json(run({"tile", where / "more"})).contains("stale_of_others"));
  const ProcessResult pruned = run({"tile", where / "more", "--prune"});
  INFO(pruned.err);
  CHECK(pruned.exit_code == 0);
  CHECK(Json(pruned)["stale_of_others"] == others);
  CHECK(pruned.err.find(std::to_string(others) + " files of earlier runs in " + (where / "tiles") +
                        " stay, such as " + (where / "tiles/harbour_00000_00000.png")) != std::string::npos);
  CHECK(CountFiles(where / "tiles") > others + 1);
}

}  // namespace imgmill::process_test
