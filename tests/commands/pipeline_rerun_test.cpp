// A pipeline that is changed and run again: what its dry run foresees, what it does not do twice, and what
// earlier runs have left in its folders. What is right is what the same pipeline makes in a folder of its
// own.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "commands/drawn_picture.h"
#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

/// Pictures of 40, 60, 80 ... pixels a side, all different.
void DrawPictures(const TestFolder& where, int first, int last) {
  for (int i = first; i <= last; ++i) {
    const int side = 20 + 20 * i;
    WritePicture(where / ("photos/" + std::to_string(i) + ".png"),
                 Draw(side, side, 1, [i](int64_t x, int64_t y, int) {
                   return static_cast<double>((x * (3 + i) + y * (7 + 2 * i) + x * y / (5 + i)) % 256);
                 }));
  }
}

struct Settings {
  std::string output = "out";
  int smallest = 40;  ///< pixels
  std::string more = {};
};

/// @return the path of a pipeline that filters, cuts and enlarges.
std::string WritePipeline(const TestFolder& where, const Settings& settings) {
  const std::string path = where / (settings.output + ".yaml");
  std::ofstream(path) << "input: photos\noutput: " << settings.output << "\nsteps:\n"
                      << "  - filter: {keep: [\"width>=" << settings.smallest << "\"]}\n"
                      << "  - tile: {size: 32, best: 2}\n"
                      << "  - upscale: {method: nearest, scale: 2}\n"
                      << settings.more;
  return path;
}

/// What a run with these settings makes in a folder that is new.
FolderBytes Fresh(const TestFolder& where, Settings settings) {
  settings.output = "fresh-" + std::to_string(settings.smallest);
  std::filesystem::remove_all(where / settings.output);
  REQUIRE(Run({"run", WritePipeline(where, settings)}).exit_code == 0);
  FolderBytes bytes = ReadFolder(where / settings.output);
  bytes.erase("tile/tiles.jsonl");  // says where it is made from
  return bytes;
}

FolderBytes Made(const TestFolder& where) {
  FolderBytes bytes = ReadFolder(where / "out");
  bytes.erase("tile/tiles.jsonl");
  return bytes;
}

/// The first file that was made of this picture.
std::string FirstOf(const std::string& folder, const std::string& picture) {
  for (const auto& [name, bytes] : ReadFolder(folder)) {
    if (name.starts_with(picture + "_")) return folder + "/" + name;
  }
  return {};
}

std::map<std::string, std::filesystem::file_time_type> Times(const std::string& folder) {
  std::map<std::string, std::filesystem::file_time_type> times;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (each.path().extension() == ".png") times[each.path()] = each.last_write_time();
  }
  return times;
}

}  // namespace

TEST_CASE("a threshold that changes makes a pipeline do only what it has not done") {
  const TestFolder where;
  DrawPictures(where, 1, 5);
  REQUIRE(Run({"run", WritePipeline(where, {"out", 80})}).exit_code == 0);  // 3 of 5
  const auto before = Times(where / "out");
  CHECK(before.size() == 12);

  const nlohmann::json more = Json(Run({"run", WritePipeline(where, {"out", 60}), "--json"}));
  CHECK(more["steps"][0]["listed"] == 5);
  CHECK(more["steps"][1]["done"] == 1);
  CHECK(more["steps"][1]["skipped"] == 3);
  CHECK(more["steps"][2]["done"] == 2);
  CHECK(more["steps"][2]["skipped"] == 6);
  const auto after = Times(where / "out");
  for (const auto& [path, time] : before) CHECK(after.at(path) == time);
  CHECK(Difference(Fresh(where, {"", 60}), Made(where)) == "");

  const ProcessResult less = Run({"run", WritePipeline(where, {"out", 100}), "--json"});
  const nlohmann::json steps = Json(less)["steps"];
  CHECK(steps[1]["done"] == 0);
  CHECK(steps[2]["done"] == 0);
  CHECK(Times(where / "out") == after);
}

TEST_CASE("what earlier runs have made of images that are dropped now is told, and removed with --prune") {
  const TestFolder where;
  DrawPictures(where, 1, 5);
  REQUIRE(Run({"run", WritePipeline(where, {})}).exit_code == 0);
  const std::string raised = WritePipeline(where, {"out", 80});
  const ProcessResult told = Run({"run", raised, "--json"});
  for (const int step : {1, 2})
    CHECK(Json(told)["steps"][static_cast<size_t>(step)]["files_of_earlier_runs"] == 4);
  CHECK(told.err.find("tile: 4 files of earlier runs, which this one neither made nor needs, lie in " +
                      (where / "out/tile") + ", such as " + FirstOf(where / "out/tile", "1") +
                      " (--prune removes them)") != std::string::npos);
  CHECK(Times(where / "out").size() == 20);

  where.Write("out/tile/mine.png", "somebody's");
  const std::string changed = FirstOf(where / "out/upscale", "2");
  std::ofstream(changed, std::ios::app) << "changed";
  const ProcessResult rehearsed = Run({"run", raised, "--prune", "--dry-run"});
  CHECK(rehearsed.err.find("4 files of earlier runs") != std::string::npos);
  CHECK(rehearsed.err.find("they would be removed") != std::string::npos);
  CHECK(Times(where / "out").size() == 21);

  const ProcessResult pruned = Run({"run", raised, "--prune", "--json"});
  CHECK(Json(pruned)["steps"][1]["removed_files_of_earlier_runs"] == 4);
  CHECK(Json(pruned)["steps"][2]["removed_files_of_earlier_runs"] == 3);
  CHECK(pruned.err.find("such as " + changed + ": changed since they were written, and so not removed") !=
        std::string::npos);
  FolderBytes made = Made(where);
  CHECK(made.erase("tile/mine.png") == 1);
  CHECK(made.erase(changed.substr((where / "out/").size())) == 1);
  CHECK(Difference(Fresh(where, {"", 80}), made) == "");
  const std::string list = TestFolder::Read(where / "out/tile/tiles.jsonl");
  CHECK(std::count(list.begin(), list.end(), '\n') == 6);
  // Gone on purpose is not missing; what was changed is found.
  CHECK(Run({"verify", where / "out"}).out.find("missing") == std::string::npos);
  // What was removed is made again where it is wanted again.
  std::filesystem::remove(changed);
  REQUIRE(Run({"run", WritePipeline(where, {}), "--prune"}).exit_code == 0);
  made = Made(where);
  CHECK(made.erase("tile/mine.png") == 1);
  CHECK(Difference(Fresh(where, {}), made) == "");
}

TEST_CASE("prune leaves what was made of images that fail today, and all of it where no image is found") {
  const TestFolder where;
  DrawPictures(where, 1, 3);
  const std::string steps = WritePipeline(where, {});
  REQUIRE(Run({"run", steps}).exit_code == 0);
  const FolderBytes whole = Made(where);
  const std::string picture = TestFolder::Read(where / "photos/2.png");
  where.Write("photos/2.png", picture.substr(0, picture.size() / 2));
  CHECK(Run({"run", steps, "--prune"}).exit_code == 1);
  CHECK(Difference(whole, Made(where)) == "");

  std::filesystem::rename(where / "photos", where / "away");
  CHECK(Run({"run", steps, "--prune"}).exit_code == 1);
  CHECK(Difference(whole, Made(where)) == "");
  std::filesystem::create_directory(where / "photos");  // as a mount point is empty
  const ProcessResult empty = Run({"run", steps, "--prune"});
  CHECK(empty.err.find("not removed, as " + (where / "photos") + " is empty") != std::string::npos);
  CHECK(Difference(whole, Made(where)) == "");
  std::ofstream(where / "photos/readme.txt") << "a mount point may have one";
  const ProcessResult no_image = Run({"run", steps, "--prune"});
  CHECK(no_image.err.find("not removed, as no image was found") != std::string::npos);
  CHECK(Difference(whole, Made(where)) == "");
}

TEST_CASE("steps that write to one folder keep each other's files") {
  const TestFolder where;
  DrawPictures(where, 1, 3);
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nprune: true\nsteps:\n"
                                         "  - tile: {size: 32, output: set}\n"
                                         "  - upscale: {method: nearest, scale: 2, output: set/large}\n";
  for (const int run : {1, 2}) {
    CAPTURE(run);
    REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
    CHECK(CountFiles(where / "set/large") == CountFiles(where / "set") / 2);
  }
}

TEST_CASE("prune leaves everything where one of the input folders is missing or empty") {
  const TestFolder where;
  DrawPictures(where, 1, 3);
  std::filesystem::create_directory(where / "more");
  std::filesystem::rename(where / "photos/3.png", where / "more/3.png");
  std::ofstream(where / "steps.yaml") << "input: [photos, more]\noutput: out\nprune: true\nsteps:\n"
                                         "  - tile: {size: 32}\n";
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  const FolderBytes whole = Made(where);
  std::filesystem::rename(where / "more", where / "away");
  for (const bool empty : {false, true}) {
    CAPTURE(empty);
    if (empty) std::filesystem::create_directory(where / "more");
    const ProcessResult run = Run({"run", where / "steps.yaml"});
    // What failed as a whole may be back tomorrow: nothing of it is left over.
    const bool told = run.err.find("not removed, as " + (where / "more") + " is empty") != std::string::npos;
    CHECK(told == empty);
    CHECK((run.err.find("earlier runs") != std::string::npos) == empty);
    CHECK(Difference(whole, Made(where)) == "");
  }
}

TEST_CASE("pipelines with one output folder leave each other's files alone") {
  const TestFolder where;
  DrawPictures(where, 1, 2);
  std::filesystem::create_directory(where / "more");
  std::filesystem::rename(where / "photos/2.png", where / "more/2.png");
  for (const std::string input : {"photos", "more"})
    std::ofstream(where / (input + ".yaml")) << "input: " << input
                                             << "\noutput: out\nprune: true\nsteps:\n"
                                                "  - tile: {size: 32}\n  - upscale: {method: nearest}\n";
  REQUIRE(Run({"run", where / "photos.yaml"}).exit_code == 0);
  REQUIRE(Run({"run", where / "more.yaml"}).exit_code == 0);
  const FolderBytes both = Made(where);
  const ProcessResult again = Run({"run", where / "photos.yaml"});
  CHECK(again.err.find("warning") == std::string::npos);
  CHECK(again.err.find("no input of this run, such as " + (where / "more/2.png")) != std::string::npos);
  CHECK(Difference(both, Made(where)) == "");
  std::filesystem::remove(where / "more/2.png");  // what nobody can make again belongs to nobody
  REQUIRE(Run({"run", where / "photos.yaml"}).exit_code == 0);
  CHECK(Times(where / "out").size() < both.size() / 2 + 1);
}

TEST_CASE("what was made anew with other options and is pruned then is not missing") {
  const TestFolder where;
  DrawPictures(where, 1, 2);
  const auto run = [&](const std::string& tile, const std::string& method) {
    std::ofstream(where / "steps.yaml")
        << "input: photos\noutput: out\nprune: true\nsteps:\n  - tile: {size: 32, " << tile
        << "}\n  - upscale: {method: " << method << "}\n";
    REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  };
  run("best: 3", "nearest");
  run("best: 3", "cubic");
  run("best: 1", "cubic");
  CHECK(Times(where / "out").size() == 4);
  const ProcessResult verified = Run({"verify", where / "out"});
  CHECK(verified.out == "");
  CHECK(verified.exit_code == 0);
}

TEST_CASE("side-cars come along behind steps that share a decode") {
  const TestFolder where;
  DrawPictures(where, 1, 2);
  for (const std::string picture : {"1", "2"})
    where.Write("photos/" + picture + ".txt", "caption " + picture);
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nsteps:\n"
                                         "  - filter: {keep: [\"entropy>=0\"]}\n"
                                         "  - embed: {}\n"
                                         "  - tile: {size: 32, best: 1, sidecars: \"*.txt\"}\n";
  REQUIRE(Run({"run", where / "steps.yaml"}).exit_code == 0);
  size_t captions = 0;
  for (const auto& [name, bytes] : ReadFolder(where / "out/tile")) captions += name.ends_with(".txt") ? 1 : 0;
  CHECK(captions == 2);
  std::ofstream(where / "pack.yaml") << "input: photos\noutput: packed\nsteps:\n"
                                        "  - filter: {keep: [\"entropy>=0\"]}\n"
                                        "  - pack: {}\n";
  const ProcessResult packed = Run({"run", where / "pack.yaml"});
  CHECK(packed.err.find("2 samples of 2 images and 2 side-cars in 1 shard") != std::string::npos);
}

TEST_CASE("two steps may have one output folder, and a dry run leaves the last run's report alone") {
  const TestFolder where;
  DrawPictures(where, 1, 2);
  std::ofstream(where / "steps.yaml") << "input: photos\noutput: out\nreport: report.json\nsteps:\n"
                                         "  - tile: {size: 32, output: set}\n"
                                         "  - upscale: {method: nearest, output: ./set, format: jpg}\n";
  const ProcessResult dry = Run({"run", where / "steps.yaml", "--dry-run"});
  CHECK(dry.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(where / "out"));
  const ProcessResult run = Run({"run", where / "steps.yaml", "--prune"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("upscale: nothing is removed from") != std::string::npos);
  CHECK(std::filesystem::exists(where / "out/report.json"));
}

TEST_CASE("prune that is killed at any call ends, run again, like one that was not") {
  const TestFolder where;
  DrawPictures(where, 1, 3);
  REQUIRE(Run({"run", WritePipeline(where, {})}).exit_code == 0);
  std::filesystem::copy(where / "out", where / "kept", std::filesystem::copy_options::recursive);
  const std::vector<std::string> prune = {"run", WritePipeline(where, {"out", 60}), "--prune"};
  const FolderBytes expected = Fresh(where, {"", 60});
  int points = 0;
  for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
    std::filesystem::remove_all(where / "out");
    std::filesystem::copy(where / "kept", where / "out", std::filesystem::copy_options::recursive);
    outcome = KillAtCall(Imgmill(prune), WithState({}).environment, NameCalls(), points + 1);
    if (outcome == KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this process may not trace others");
      return;
    }
    CAPTURE(points);
    CHECK(Run(prune).exit_code == 0);
    CHECK(Difference(expected, Made(where)) == "");
    CHECK(Run({"verify", where / "out"}).exit_code == 0);
  }
  MESSAGE(points << " points");
  CHECK(points > 4);
}

TEST_CASE("a dry run foresees of each step what the run then does") {
  const TestFolder where;
  DrawPictures(where, 1, 3);
  const std::string more = "  - embed: {}\n";
  REQUIRE(Run({"run", WritePipeline(where, {"out", 60, more})}).exit_code == 0);
  DrawPictures(where, 4, 5);
  const auto foreseen = [&](const std::string& steps) {
    const ProcessResult dry = Run({"run", steps, "--dry-run", "--json"});
    CHECK(dry.exit_code == 0);
    return Json(dry)["steps"];
  };
  const std::string steps = WritePipeline(where, {"out", 40, more});
  const nlohmann::json plan = foreseen(steps);
  const nlohmann::json ran = Json(Run({"run", steps, "--json"}))["steps"];
  REQUIRE(plan.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    CHECK(plan[i]["forecast"]["listed"] == ran[i]["listed"]);
    CHECK(plan[i]["forecast"]["kept"] == ran[i]["kept"]);
    CHECK(plan[i]["forecast"]["at_most"] == (i == 3 ? nlohmann::json{"to_read"} : nlohmann::json::array()));
  }
  // Two of five images are known, and the tiles of both are there.
  CHECK(plan[1]["forecast"]["known"] == 2);
  CHECK(plan[1]["forecast"]["to_read"] == 3);
  CHECK(plan[1]["forecast"]["to_write"] == 6);
  CHECK(plan[2]["forecast"]["known"] == 4);
  CHECK(plan[2]["forecast"]["to_read"] == 6);
  CHECK(plan[2]["forecast"]["to_write"] == 6);
  CHECK(ran[1]["done"] == 3);
  CHECK(ran[2]["done"] == 6);
  CHECK(plan[3]["forecast"]["known"].is_null());
  CHECK(plan[3]["forecast"]["to_write"] == 0);

  const nlohmann::json again = foreseen(steps);
  for (size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    CHECK(again[i]["forecast"]["known"] == ran[i]["listed"]);
    CHECK(again[i]["forecast"]["to_read"] == 0);
    CHECK(again[i]["forecast"]["to_write"] == 0);
  }
  // Shards and databases are of many images: what is packed already is known.
  for (const std::string format : {"tar", "lmdb"}) {
    CAPTURE(format);
    const std::string packing = WritePipeline(where, {"out", 40, "  - pack: {format: " + format + "}\n"});
    const nlohmann::json packed = Json(Run({"run", packing, "--json"}))["steps"];
    const auto forecast = [&] { return foreseen(packing)[3]["forecast"]; };
    CHECK(forecast()["known"] == packed[3]["listed"]);
    CHECK(forecast()["to_read"] == 0);
    CHECK(forecast()["to_write"] == 0);
    std::filesystem::remove(where / "out/pack/members.jsonl");
    CHECK(forecast()["to_write"].is_null());
    std::filesystem::remove_all(where / "out/pack");
    CHECK(forecast()["known"] == 0);
    CHECK(forecast()["to_write"].is_null());
  }
  // A step that decides can only be foreseen where its files are there.
  const std::string deciding =
      WritePipeline(where, {"out-2", 40, "  - dedup: {}\n  - upscale: {method: nearest}\n"});
  const ProcessResult dry = Run({"run", deciding, "--dry-run"});
  CHECK(dry.out.find("dedup            10        ?     <=10     <=10        ?        ?        0\n"
                     "upscale        <=10        0     <=10     <=10        ?        0     <=10\n") !=
        std::string::npos);
  CHECK(dry.err.find("dry run: dedup needs files that steps before it would write") != std::string::npos);
}

}  // namespace imgmill::process_test
