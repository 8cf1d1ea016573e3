// What a run refuses from header and options alone, its plan counts and its dry run refuses with the same
// words.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "commands/drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

/// The lines on stderr that say what failed, and why.
std::set<std::string> Failed(const ProcessResult& result) {
  std::set<std::string> failed;
  std::istringstream lines(result.err);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("imgmill: error: ")) failed.insert(line);
  }
  return failed;
}

void WriteLong(const std::string& path, int64_t width, int64_t height) {
  WritePicture(path,
               Draw(width, height, 1, [](int64_t x, int64_t, int) { return static_cast<double>(x % 200); }));
}

/// Runs `command` with words before and behind it, and without a catalog.
ProcessResult RunBetween(std::vector<std::string> words, const std::vector<std::string>& command,
                         const std::vector<std::string>& behind) {
  words.insert(words.end(), command.begin(), command.end());
  words.emplace_back("--no-catalog");
  words.insert(words.end(), behind.begin(), behind.end());
  return Run(words);
}

/// Runs `command`, which cannot begin, and its plan and its dry run, which say so alike. @return the run
ProcessResult CannotBegin(const std::vector<std::string>& command) {
  ProcessResult ran = RunBetween({}, command, {});
  CHECK(ran.exit_code == 3);
  for (const ProcessResult& other :
       {RunBetween({"plan"}, command, {}), RunBetween({}, command, {"--dry-run"})}) {
    CHECK(other.exit_code == 3);
    CHECK(other.err == ran.err);
  }
  return ran;
}

}  // namespace

TEST_CASE("an output that its format cannot hold is refused by plan, dry run and run alike") {
  const TestFolder where;
  const std::string photos = where / "photos";
  WriteLong(photos + "/wide.png", 8192, 4);  // 16384 wide when doubled; WebP holds 16383 (its specification)
  WriteLong(photos + "/tall.png", 4, 8192);
  WriteLong(photos + "/fits_webp.png", 8191, 4);
  WriteLong(photos + "/wider.png", 32751, 2);  // 65502 wide; libjpeg holds 65500
  WriteLong(photos + "/fits_jpeg.png", 32750, 2);
  const std::map<std::string, std::set<std::string>> refused = {
      {"webp", {"wide.png", "tall.png", "wider.png", "fits_jpeg.png"}}, {"jpg", {"wider.png"}}, {"png", {}}};
  for (const auto& [format, names] : refused) {
    CAPTURE(format);
    const std::string out = where / ("out_" + format);
    const std::vector<std::string> command = {"upscale", photos, "-o",       out,    "--method", "linear",
                                              "--scale", "2",    "--format", format, "--json"};
    const ProcessResult planned = RunBetween({"plan"}, command, {});
    const ProcessResult dry = RunBetween({}, command, {"--dry-run"});
    CHECK_FALSE(TestFolder::Exists(out));
    const ProcessResult ran = RunBetween({}, command, {});
    const std::set<std::string> failed = Failed(ran);
    CHECK(Failed(dry) == failed);
    CHECK(planned.exit_code == ran.exit_code);
    CHECK(dry.exit_code == ran.exit_code);
    std::set<std::string> found;
    for (const std::string& line : failed) {
      CHECK(line.find("holds at most") != std::string::npos);
      const size_t name = line.find(photos + "/") + photos.size() + 1;
      found.insert(line.substr(name, line.find(':', name) - name));
    }
    CHECK(found == names);
    CHECK(Json(planned)["plan"]["images"] == 5 - names.size());
    CHECK(Json(planned)["plan"]["refused"] == names.size());
    CHECK(CountFiles(out) == 5 - names.size());
  }
}

TEST_CASE("an output that exists and is foreign is refused by plan, dry run and run alike") {
  const TestFolder where;
  const std::string photos = where / "photos";
  WriteLong(photos + "/a.png", 100, 80);
  where.Write("large/a.png", "somebody's");
  where.Write("tiles/a_00000_00000.png", "somebody's");
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"upscale", photos, "-o", where / "large", "--method", "linear", "--json"},
           {"tile", photos, "-o", where / "tiles", "--size", "64", "--json"}}) {
    const std::set<std::string> failed = Failed(RunBetween({}, command, {}));
    CHECK(failed.size() == 1);
    CHECK(Json(RunBetween({"plan"}, command, {}))["plan"]["refused"] == 1);
    CHECK(Failed(RunBetween({}, command, {"--dry-run"})) == failed);
  }
}

TEST_CASE("an export that cannot be written is refused by plan, dry run and run alike, before any work") {
  const TestFolder where;
  const std::string photos = where / "photos";
  WriteLong(photos + "/a.png", 100, 80);
  where.Write("foreign.npy", "somebody's");
  where.Write("other.paths.txt", "somebody's");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"embed", photos, "--export", where / "foreign.npy"},
                                             {"embed", photos, "--export", where / "other.npy"},
                                             {"filter", photos, "--export", where / "no_folder/x.csv"}}) {
    CAPTURE(command.back());
    CHECK(CannotBegin(command).err.find("1 done") == std::string::npos);
  }
  CHECK(TestFolder::Read(where / "foreign.npy") == "somebody's");
}

TEST_CASE("a target that is a file or that nobody can write to is refused by plan, dry run and run alike") {
  const TestFolder where;
  const std::string photos = where / "photos";
  WriteLong(photos + "/a.png", 100, 80);
  where.Write("file", "somebody's");
  for (const std::string& target : {where / "file", where / "file/below", std::string("/proc/imgmill")}) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"upscale", photos, "--method", "linear", "-o", target},
             {"tile", photos, "--size", "64", "-o", target},
             {"filter", photos, "--keep", "short_side>=1", "--action", "copy", "--to", target},
             {"dedup", photos, "--action", "move", "--move-to", target}}) {
      CAPTURE(command.front());
      CAPTURE(target);
      const std::string told = CannotBegin(command).err;
      CHECK(told.find("choose another folder") != std::string::npos);
      CHECK(told.find(target.starts_with("/proc") ? target : where / "file") != std::string::npos);
    }
  }
  CHECK(TestFolder::Read(where / "file") == "somebody's");
}

TEST_CASE("images smaller than a tile are told apart in plan and dry run as in the run") {
  const TestFolder where;
  const std::string photos = where / "photos";
  WriteLong(photos + "/large.png", 100, 80);
  WriteLong(photos + "/small.png", 63, 80);
  const std::vector<std::string> command = {"tile", photos, "--size", "64", "-o", where / "tiles", "--json"};
  const nlohmann::json plan = Json(RunBetween({"plan"}, command, {}))["plan"];
  CHECK(plan["images"] == 1);
  CHECK(plan["giving_nothing"] == 1);
  const std::string dry = RunBetween({}, command, {"--dry-run"}).err;
  CHECK(dry.find("1 would be cut") != std::string::npos);
  CHECK(dry.find("1 smaller than a tile") != std::string::npos);
  CHECK(RunBetween({}, command, {}).err.find("1 smaller than a tile") != std::string::npos);
  // Finished already, with its catalog beside the tiles.
  REQUIRE(Run({"tile", photos, "--size", "64", "-o", where / "kept"}).exit_code == 0);
  const std::string again = Run({"tile", photos, "--size", "64", "-o", where / "kept", "--dry-run"}).err;
  CHECK(again.find(" 0 would be cut") != std::string::npos);
  CHECK(again.find("1 smaller than a tile") != std::string::npos);
}

TEST_CASE("an undo file that cannot be made is refused by dry run and run alike") {
  const TestFolder where;
  const std::string photos = where / "photos";
  WriteLong(photos + "/a.png", 100, 80);
  where.Write("file", "somebody's");
  const std::vector<std::string> command = {
      "filter", photos, "--keep",     "short_side>=1", "--action",
      "copy",   "--to", where / "to", "--undo-file",   where / "file/undo.tsv"};
  const ProcessResult ran = RunBetween({}, command, {});
  const ProcessResult dry = RunBetween({}, command, {"--dry-run"});
  CHECK(ran.exit_code == 3);
  CHECK(dry.exit_code == 3);
  CHECK(Failed(ran).size() == 1);
  CHECK(Failed(dry) == Failed(ran));
  CHECK_FALSE(TestFolder::Exists(where / "to"));
}

}  // namespace imgmill::process_test
