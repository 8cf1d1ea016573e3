// What is wrong with any step of a pipeline is said before the first one begins, and in a dry run.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// A folder with two photos, and a pipeline that cuts them into tiles before `steps`.
std::string WriteSteps(const TestFolder& where, const std::string& steps) {
  fs::create_directories(where / "photos");
  for (const std::string name : {"harbour.jpg", "marble.jpg"})
    fs::copy_file(SampleData() + "/" + name, where / ("photos/" + name), fs::copy_options::skip_existing);
  where.Write("steps.yaml", "input: photos\noutput: out\nsteps:\n  - tile: {size: 128}\n" + steps);
  return where / "steps.yaml";
}

/// A step that cannot work, and words of why.
struct Wrong {
  std::string step;
  std::string why;
};

}  // namespace

TEST_CASE("what a later step cannot read or write is said before an earlier one has done any work") {
  const std::vector<Wrong> all = {
      {"match: {top: 2}", "put an embed step before it"},
      {"match: {top: 2, in: nosuch}", "nosuch is not a folder"},
      {"dedup: {method: embedding, model-name: mine}", "imports them, with the same model-name"},
      {"embed: {export: theirs.npy}", "exists already"},
      {"embed: {export: nodir/v.npy}", "make the folder"},
      {"embed: {export: nodir/clip/}", "make the folder"},
      {"filter: {keep: [\"width>0\"], html: nodir/x.html}", "make the folder"},
      {"filter: {keep: [\"width>0\"], export: nodir/x.csv}", "make the folder"},
      {"filter: {keep: [\"width>0\"], action: copy, to: out/tile}", "is the folder of the images themselves"},
      {"filter: {keep: [\"width>0\"], action: copy, to: kept, undo-file: theirs.npy}", "is no undo file"},
      {"compare: {pair: nosuch}", "nosuch does not exist"},
      {"compare: {pair: photos, csv: nodir/x.csv}", "make the folder"},
      {"dedup: {html: nodir/x.html}", "make the folder"},
      {"dedup: {keep-by: \"folder:nosuch\"}", "nosuch is not an existing folder"},
      {"upscale: {method: linear, output: out/tile}",
       "is the folder of the images themselves, which tile makes"},
      {"upscale: {model: theirs.npy}", "a text, not weights"},
      {"tile: {size: 64, output: theirs}", "tiles.jsonl"},
      {"pack: {output: theirs}", "members.jsonl"}};
  for (const Wrong& wrong : all) {
    CAPTURE(wrong.step);
    const TestFolder where;
    const std::string steps = WriteSteps(where, "  - dedup: {method: exact}\n  - " + wrong.step + "\n");
    where.Write("theirs.npy", "not imgmill's, and no vectors");
    for (const std::string list : {"tiles.jsonl", "members.jsonl"})
      where.Write("theirs/" + list, "not a list");
    for (const bool dry : {true, false}) {
      std::vector<std::string> command = {"run", steps};
      if (dry) command.emplace_back("--dry-run");
      const ProcessResult ran = Run(command);
      INFO(ran.err);
      CHECK(ran.exit_code == 2);
      CHECK(ran.err.find("steps.yaml:6: " + wrong.step.substr(0, wrong.step.find(':')) + ": ") !=
            std::string::npos);
      CHECK(ran.err.find(wrong.why) != std::string::npos);
      CHECK_FALSE(fs::exists(where / "out"));
      CHECK_FALSE(fs::exists(where / "nodir"));
      CHECK(TestFolder::Read(where / "theirs.npy") == "not imgmill's, and no vectors");
    }
  }
}

TEST_CASE("a pipeline that is refused makes no folder, no catalog and no report") {
  const TestFolder where;
  const auto ran = [&](const std::string& steps) {
    const std::string pipeline = WriteSteps(where, steps);
    where.Write("steps.yaml", "report: report.json\n" + TestFolder::Read(pipeline));
    const ProcessResult refused = Run({"run", pipeline, "--json"});
    INFO(refused.err);
    CHECK(refused.exit_code == 2);
    CHECK(Json(refused)["error"]["code"] == "usage");
    size_t entries = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(where.path())) ++entries;
    CHECK(entries == 2);  // the photos and the pipeline
  };
  ran("  - upscale: {method: linear, output: out/tile}\n");
  ran("  - upscale: {method: linear, output: elsewhere}\n  - match: {top: 2}\n");
}

TEST_CASE("a catalog that is there says which vectors there are when a pipeline is checked") {
  const TestFolder where;
  REQUIRE(Run({"run", WriteSteps(where, "  - embed:\n")}).exit_code == 0);
  const ProcessResult ran = Run({"run", WriteSteps(where, "  - match: {top: 2}\n")});
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
}

TEST_CASE("what a step before makes need not be there when a pipeline is checked") {
  const TestFolder where;
  const std::string steps = WriteSteps(where,
                                       "  - filter: {keep: [\"width>0\"], html: out/page.html}\n"
                                       "  - embed: {export: out/vectors.npy}\n"
                                       "  - match: {top: 1, in: out/tile}\n"
                                       "  - compare: {pair: out/tile, csv: out/tile/figures.csv}\n");
  const ProcessResult dry = Run({"run", steps, "--dry-run"});
  INFO(dry.err);
  CHECK(dry.exit_code == 0);
  CHECK_FALSE(fs::exists(where / "out"));
  // Each tile would be compared with itself: that is found then, of each. What is asked here is that it
  // begins.
  const ProcessResult ran = Run({"run", steps});
  INFO(ran.err);
  CHECK(ran.exit_code == 1);
  CHECK(fs::exists(where / "out/page.html"));
  CHECK(fs::exists(where / "out/tile/figures.csv"));
}

TEST_CASE("a dry run goes past a match whose vectors are not there yet") {
  const TestFolder where;
  const std::string steps = WriteSteps(where, "  - embed:\n  - match: {top: 2}\n");
  const ProcessResult before = Run({"run", steps, "--dry-run", "--json"});
  INFO(before.err);
  CHECK(before.exit_code == 0);
  CHECK(Json(before)["steps"].size() == 3);
  REQUIRE(Run({"run", steps}).exit_code == 0);
  CHECK(Run({"run", steps, "--dry-run"}).exit_code == 0);
}

TEST_CASE("a step that gives files other names or endings may write where they lie") {
  const TestFolder where;
  const ProcessResult ran = Run(
      {"run", WriteSteps(where, "  - upscale: {method: linear, scale: 2, format: jpg, output: out/tile}\n")});
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(fs::exists(where / "out/tile/harbour_00000_00000.jpg"));
}

}  // namespace imgmill::process_test
