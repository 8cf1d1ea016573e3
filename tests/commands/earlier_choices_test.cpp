// Files that runs with other options have made of the same images: frames names and removes them as tile
// does, and dry runs say what --prune would remove. What is right is what the run then does.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

const std::string kFrames = IMGMILL_SOURCE_DIR "/tests/golden/frames/";

/// An animation of 6 frames and a file of 3 pages.
void CopyAnimations(const TestFolder& where) {
  fs::create_directories(where / "in");
  fs::copy_file(kFrames + "discs.gif", where / "in/discs.gif");
  fs::copy_file(kFrames + "pages.tif", where / "in/pages.tif");
}

void DrawPictures(const TestFolder& where, int first, int last) {
  for (int i = first; i <= last; ++i)
    WritePicture(where / ("photos/" + std::to_string(i) + ".png"),
                 Draw(64, 64, 1, [i](int64_t x, int64_t y, int) {
                   return static_cast<double>((x * (3 + i) + y * (7 + 2 * i) + x * y / (5 + i)) % 256);
                 }));
}

ProcessResult Frames(const TestFolder& where, const std::vector<std::string>& more) {
  const ProcessResult result = Run(With({"frames", where / "in", "-o", where / "out", "--json"}, more));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

/// Without the list, which says where it is made from.
FolderBytes Made(const std::string& folder) {
  FolderBytes bytes = ReadFolder(folder);
  for (const char* list : {"frames.jsonl", "tiles.jsonl", "tile/tiles.jsonl"}) bytes.erase(list);
  return bytes;
}

}  // namespace

TEST_CASE("frames of an earlier choice are named, and go with --prune, and nothing else does") {
  const TestFolder where;
  CopyAnimations(where);
  CHECK_FALSE(Json(Frames(where, {})).contains("files_of_earlier_choices"));
  where.Write("out/mine.png", "somebody's");
  where.Write("out/discs_000005.png", "changed by somebody");
  for (int round = 0; round < 2; ++round) {  // done, and recalled
    CAPTURE(round);
    // Of 6 frames and 3 pages, these are 0, 2, 4, and 0 and 2.
    const ProcessResult fewer = Frames(where, {"--every", "2"});
    CHECK(Json(fewer)["files_of_earlier_choices"] == 9 - 5 - 1);
    CHECK(fewer.err.find("3 files of other choices, made of these images by earlier runs, lie in " +
                         (where / "out") + ", such as " + (where / "out/discs_000001.png") +
                         " (--prune removes them)") != std::string::npos);
  }
  const nlohmann::json rehearsed = Json(Frames(where, {"--every", "2", "--prune", "--dry-run"}));
  CHECK(rehearsed["to_remove"] == 3);
  CHECK(CountFiles(where / "out") == 9 + 1 + 1);
  CHECK(Json(Frames(where, {"--every", "2", "--prune"}))["pruned"] == 3);
  CHECK_FALSE(Json(Frames(where, {"--every", "2", "--prune"})).contains("pruned"));
  CHECK(CountFiles(where / "out") == 5 + 1 + 1 + 1);
  CHECK(TestFolder::Read(where / "out/mine.png") == "somebody's");
  CHECK(TestFolder::Read(where / "out/discs_000005.png") == "changed by somebody");
  fs::remove(where / "out/mine.png");
  fs::remove(where / "out/discs_000005.png");
  // Gone on purpose is not missing, but for what was deleted by hand.
  CHECK(Run({"verify", where / "out"}).out == "missing  " + (where / "out/discs_000005.png") + "\n");

  CHECK(Json(Frames(where, {"--format", "jpg", "--prune"}))["pruned"] == 5);
  CHECK(CountFiles(where / "out") == 9 + 1);
  for (const auto& [name, bytes] : Made(where / "out")) CHECK(name.ends_with(".jpg"));
}

TEST_CASE("frames --prune that is killed at any call ends, run again, like one that was not") {
  const TestFolder fresh;
  CopyAnimations(fresh);
  Frames(fresh, {"--every", "3"});
  const FolderBytes expected = Made(fresh / "out");
  int points = 0;
  for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
    const TestFolder where;
    CopyAnimations(where);
    Frames(where, {});
    const std::vector<std::string> words = {"frames",  where / "in", "-o",      where / "out",
                                            "--every", "3",          "--prune", "-j1"};
    outcome = KillAtCall(Imgmill(words), WithState({}).environment, NameCalls(), points + 1);
    if (outcome == KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this process may not trace others");
      return;
    }
    CAPTURE(points);
    CHECK(Run(words).exit_code == 0);
    CHECK(Difference(expected, Made(where / "out")) == "");
    CHECK(Run({"verify", where / "out"}).exit_code == 0);
  }
  MESSAGE(points << " points");
  CHECK(points > 6);
}

TEST_CASE("tiles of other partners are named as those of other sizes are, and only --prune removes them") {
  const TestFolder where;
  for (const auto& [folder, scale] : {std::pair("HQ", 1), {"X2", 2}, {"X4", 4}, {"X8", 8}})
    WritePicture(where / (std::string(folder) + "/a.png"),
                 Draw(128 / scale, 64 / scale, 1, [scale = scale](int64_t x, int64_t y, int) {
                   return static_cast<double>((x * 3 + y * 7) * scale % 256);
                 }));
  const auto tile = [&](const std::vector<std::string>& sides, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"tile", where / "HQ", "-o", where / "out", "--json"};
    for (const std::string& side : sides) words = With(words, {"--pair", where / side});
    const ProcessResult result = Run(With(words, more));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  };
  CHECK_FALSE(Json(tile({"X2", "X4"}, {"--size", "32"})).contains("files_of_earlier_choices"));
  const FolderBytes first = Made(where / "out");
  CHECK(first.size() == 3 * 8);
  const auto kept = fs::last_write_time(where / "out/HQ/a_00000_00000.png");
  const auto kept_low = fs::last_write_time(where / "out/X4/a_00000_00000.png");

  // The same size: what is asked for again is there already, and stays as it is.
  const ProcessResult other_side = tile({"X4", "X8"}, {"--size", "32"});
  CHECK(fs::last_write_time(where / "out/HQ/a_00000_00000.png") == kept);
  CHECK(fs::last_write_time(where / "out/X4/a_00000_00000.png") == kept_low);
  CHECK(CountFiles(where / "out") == 4 * 8 + 1);
  CHECK(Json(other_side)["files_of_earlier_choices"] == 8);
  CHECK_FALSE(Json(other_side).contains("stale"));  // nor are they told twice
  CHECK(Json(other_side)["sides_of_earlier_choices"] == nlohmann::json{"X2"});
  CHECK(
      other_side.err.find("8 files of other sizes or choices, made of these images by earlier runs, lie in " +
                          (where / "out") + ", such as " + (where / "out/X2/a_00000_00000.png") +
                          ", among them all of X2, where this run writes none (--prune removes them)") !=
      std::string::npos);

  // Another size, too: of HQ and X8 two tiles each have names of old.
  for (int round = 0; round < 2; ++round) {  // done, and recalled
    CAPTURE(round);
    const nlohmann::json larger = Json(tile({"X8"}, {"--size", "64"}));
    CHECK(larger["tiles"] == 2);
    CHECK(larger["files_of_earlier_choices"] == 6 + 3 * 8);
    CHECK(larger["sides_of_earlier_choices"] == nlohmann::json{"X2", "X4", "X8"});
    CHECK(CountFiles(where / "out") == 4 * 8 + 2 + 1);  // and two of LQ
  }
  CHECK(Json(tile({"X8"}, {"--size", "64", "--prune", "--dry-run"}))["to_remove"] == 6 + 3 * 8);
  CHECK(Json(tile({"X8"}, {"--size", "64", "--prune"}))["pruned"] == 6 + 3 * 8);
  CHECK(CountFiles(where / "out") == 2 * 2 + 1);
  CHECK(Run({"verify", where / "out"}).exit_code == 0);

  // An image that was replaced takes the tiles of the old one with it, as ever.
  REQUIRE(CountFiles(where / "out/HQ") == 2);
  WritePicture(where / "HQ/a.png",
               Draw(64, 64, 1, [](int64_t x, int64_t, int) { return static_cast<double>(x * 2); }));
  WritePicture(where / "X4/a.png",
               Draw(16, 16, 1, [](int64_t x, int64_t, int) { return static_cast<double>(x * 8); }));
  const nlohmann::json replaced = Json(tile({"X4"}, {"--size", "64"}));
  CHECK_FALSE(replaced.contains("files_of_earlier_choices"));
  CHECK(CountFiles(where / "out/HQ") == 1);
}

TEST_CASE("a dry run of tile says what --prune would remove, also where tiles would be written") {
  const TestFolder where;
  DrawPictures(where, 1, 2);
  const std::vector<std::string> tile = {"tile", where / "photos", "-o", where / "out", "--json"};
  REQUIRE(Run(With(tile, {"--size", "32"})).exit_code == 0);  // 4 of each
  DrawPictures(where, 3, 3);
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--size", "48"}, std::vector<std::string>{"--size", "48", "--best", "2"}}) {
    CAPTURE(options.size());
    const std::vector<std::string> words = With(With(tile, options), {"--prune"});
    const nlohmann::json rehearsed = Json(Run(With(words, {"--dry-run"})));
    fs::copy(where / "out", where / "kept", fs::copy_options::recursive);
    const nlohmann::json ran = Json(Run(words));
    const uint64_t pruned = ran.value("pruned", uint64_t{0});
    const bool at_most = rehearsed.contains("at_most");
    CHECK(at_most == (options.size() > 2));
    CHECK(pruned > 0);
    CHECK((at_most ? rehearsed["to_remove"] >= pruned : rehearsed["to_remove"] == pruned));
    fs::remove_all(where / "out");
    fs::rename(where / "kept", where / "out");
  }
  const ProcessResult told = Run(With(tile, {"--size", "48", "--dry-run"}));
  CHECK(Json(told)["files_of_earlier_choices"] == 6);  // those at 0 have the names of new ones, at 0 and 16
  CHECK(told.err.find("(--prune removes them)") != std::string::npos);
}

TEST_CASE("a dry run of a pipeline says what --prune would remove, also where files would be written") {
  const TestFolder where;
  DrawPictures(where, 1, 4);
  const auto steps = [&](const std::string& size, const std::string& left_out, const std::string& more = {}) {
    std::ofstream(where / "steps.yaml")
        << "input: photos\noutput: out\nexclude: [\"" << left_out
        << "\"]\nsteps:\n  - filter: {keep: [\"width>0\"], action: copy, to: out/good}\n"
        << "  - tile: {size: " << size << more << "}\n  - upscale: {method: nearest, scale: 2}\n";
    return where / "steps.yaml";
  };
  REQUIRE(Run({"run", steps("32", "none")}).exit_code == 0);
  DrawPictures(where, 5, 5);
  struct Case {
    std::string size, left_out, more;
  };
  for (const Case& each : {Case{"32", "1.png", ""}, Case{"64", "2.png", ""}, Case{"32", "3.png", ", best: 2"},
                           Case{"32", "3.png", ", keep: \"contrast>=1\""}}) {
    CAPTURE(each.size);
    CAPTURE(each.left_out);
    CAPTURE(each.more);
    fs::copy(where / "out", where / "saved", fs::copy_options::recursive);
    const std::string file = steps(each.size, each.left_out, each.more);
    const ProcessResult dry = Run({"run", file, "--prune", "--dry-run", "--json"});
    INFO(dry.err);
    REQUIRE(dry.exit_code == 0);
    CHECK(Difference(ReadFolder(where / "saved"), ReadFolder(where / "out")) == "");
    const nlohmann::json plan = Json(dry)["steps"];
    const nlohmann::json ran = Json(Run({"run", file, "--prune", "--json"}))["steps"];
    CHECK(plan[0]["forecast"]["to_remove"] == 1);
    for (const size_t step : {0, 1, 2}) {
      CAPTURE(step);
      const nlohmann::json& forecast = plan[step]["forecast"];
      const uint64_t removed = ran[step].value("removed_files_of_earlier_runs", uint64_t{0});
      const std::vector<std::string> loose = forecast["at_most"];
      const bool at_most = std::ranges::find(loose, "to_remove") != loose.end();
      CHECK(removed > 0);
      if (each.more.empty()) CHECK_FALSE(at_most);
      CHECK((at_most ? forecast["to_remove"] >= removed : forecast["to_remove"] == removed));
    }
    fs::remove_all(where / "out");
    fs::rename(where / "saved", where / "out");
  }
  const ProcessResult table = Run({"run", steps("64", "2.png"), "--prune", "--dry-run"});
  CHECK(table.out.find(" to write to remove\n") != std::string::npos);
  // Without --prune there is no such column, and what lies there is told all the same.
  const ProcessResult plain = Run({"run", steps("64", "2.png"), "--dry-run"});
  CHECK(plain.out.find("to remove") == std::string::npos);
  CHECK(plain.err.find("(--prune removes them)") != std::string::npos);
}

}  // namespace imgmill::process_test
