// A full disk: the run stops with 75 and says why, and the same command finishes once there is room.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "program.h"
#include "small_disk.h"

namespace imgmill::process_test {
namespace {

std::vector<std::string> Upscale(const std::string& photos, const std::string& out,
                                 std::vector<std::string> more) {
  std::vector<std::string> arguments = {"upscale", photos, "--method", "lanczos3", "--scale",
                                        "1.3",     "-o",   out,        "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

bool ListsDiskFull(const nlohmann::json& json) {
  if (json.contains("error") && json["error"]["code"] == "disk_full") return true;
  if (!json.contains("failed")) return false;
  for (const auto& item : json["failed"]) {
    if (item["code"] == "disk_full") return true;
  }
  return false;
}

std::vector<std::string> Tile(const std::string& photos, const std::string& out,
                              std::vector<std::string> more) {
  std::vector<std::string> arguments = {"tile", photos, "--size", "128", "-o", out, "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Files by what they are published with: tiles of one source together, others alone.
std::map<std::string, size_t> CountSets(const FolderBytes& files) {
  static const std::regex place("_[0-9]{5,}_[0-9]{5,}\\.[a-z]+$");
  std::map<std::string, size_t> sets;
  for (const auto& [name, bytes] : files) ++sets[std::regex_replace(name, place, "")];
  return sets;
}

using MakeCommand = std::vector<std::string> (*)(const std::string& photos, const std::string& out,
                                                 std::vector<std::string> more);

/// Runs into a disk of `size`, then again with room.
void FillsUpAndGoesOn(MakeCommand make, const std::string& size) {
  const TestFolder where;
  const SmallDisk disk(where / "disk", size);
  if (!disk.mounted()) return;
  CopySamples(where / "photos");
  REQUIRE(Run(make(where / "photos", where / "undisturbed", {})).exit_code == 0);
  const FolderBytes expected = ReadFolder(where / "undisturbed");

  const std::vector<std::vector<std::string>> catalogs = {
      {}, {"--catalog", where / "catalog"}, {"--no-catalog"}};
  int round = 0;
  for (const std::vector<std::string>& catalog : catalogs) {
    CAPTURE(round);
    disk.Enlarge(size);
    const std::string out = where / ("disk/out" + std::to_string(round++));
    const ProcessResult full = Run(make(where / "photos", out, catalog));
    INFO(full.err);
    CHECK(full.exit_code == 75);
    const nlohmann::json json = Json(full);
    CHECK(ListsDiskFull(json));
    CHECK(full.err.find("disk is full") != std::string::npos);
    const FolderBytes partial = ReadFolder(out);
    CHECK_FALSE(partial.empty());
    CHECK(partial.size() < expected.size());
    for (const auto& [name, bytes] : partial) {  // nothing half written, no temporary
      CAPTURE(name);
      REQUIRE(expected.count(name) == 1);
      CHECK(expected.at(name) == bytes);
    }
    for (const auto& [set, count] : CountSets(partial)) {
      CAPTURE(set);
      CHECK(CountSets(expected).at(set) == count);
    }
    disk.Enlarge("64m");
    std::vector<std::string> again = catalog;
    if (catalog == catalogs[2]) again.push_back("--force");  // nothing remembers whose the finished ones are
    const ProcessResult rest = Run(make(where / "photos", out, again));
    INFO(rest.err);
    CHECK(rest.exit_code == 0);
    CHECK(Difference(expected, ReadFolder(out)) == "");
    std::filesystem::remove_all(out);
  }
}

}  // namespace

TEST_CASE("an output folder on a full disk") {
  FillsUpAndGoesOn(&Upscale, "3m");
}

TEST_CASE("an output folder of tiles on a full disk: sets are whole or not there") {
  FillsUpAndGoesOn(&Tile, "3m");
}

TEST_CASE("filter copies onto a full disk") {
  const TestFolder where;
  const SmallDisk disk(where / "disk", "300k");
  if (!disk.mounted()) return;
  CopySamples(where / "photos");
  const std::vector<std::string> command = {
      "filter",   where / "photos", "--keep", "short_side>=100", "--to",           where / "disk/good",
      "--action", "copy",           "--json", "--catalog",       where / "catalog"};
  const ProcessResult full = Run(command);
  INFO(full.err);
  CHECK(full.exit_code == 75);
  CHECK(ListsDiskFull(Json(full)));
  const FolderBytes photos = ReadFolder(where / "photos");
  const FolderBytes partial = ReadFolder(where / "disk/good");
  CHECK_FALSE(partial.empty());
  for (const auto& [name, bytes] : partial) {  // nothing half written, no temporary
    CAPTURE(name);
    REQUIRE(photos.count(name) == 1);
    CHECK(photos.at(name) == bytes);
  }
  disk.Enlarge("64m");
  const ProcessResult rest = Run(command);
  INFO(rest.err);
  CHECK(rest.exit_code == 0);
  CHECK(Json(rest)["acted"] == Json(rest)["kept"].get<size_t>() - partial.size());
  CHECK(ReadFolder(where / "disk/good").size() == Json(rest)["kept"]);
}

TEST_CASE("a move onto a full disk says what was moved and how it is taken back") {
  const TestFolder where;
  const SmallDisk disk(where / "disk", "100k");
  if (!disk.mounted()) return;
  where.Write("photos/b.png", TestFolder::Read(SampleData() + "/icon_tiny.png"));
  where.Write("photos/c.png", TestFolder::Read(SampleData() + "/poster.png"));  // larger than the disk
  std::filesystem::create_symlink("b.png", where / "photos/a.png");
  const FolderBytes before = ReadFolder(where / "photos");
  const ProcessResult full =
      Run({"filter", where / "photos", "--keep", "width>=100000", "--to", where / "disk/dropped", "--action",
           "move", "--json", "--catalog", where / "catalog"});
  INFO(full.err);
  CHECK(full.exit_code == 75);
  const nlohmann::json json = Json(full);
  CHECK(json["error"]["code"] == "disk_full");
  CHECK(json["acted"] == 2);
  CHECK(json["action_failures"].size() == 1);
  CHECK(full.err.find("2 done, 1 failed; undo with: imgmill undo ") != std::string::npos);
  CHECK(std::filesystem::read_symlink(where / "disk/dropped/a.png") == "b.png");  // where its file is now
  REQUIRE(json.contains("undo_file"));
  CHECK(Run({"undo", json["undo_file"].get<std::string>()}).exit_code == 0);
  CHECK(Difference(before, ReadFolder(where / "photos")) == "");
}

TEST_CASE("a side-car that an earlier run has left behind is told by the next one, whatever its undo file") {
  const TestFolder where;
  const SmallDisk disk(where / "disk", "100k");
  if (!disk.mounted()) return;
  where.Write("photos/a.png", TestFolder::Read(SampleData() + "/icon_tiny.png"));
  where.Write("photos/a.txt", std::string(200'000, 'x'));
  const std::vector<std::string> command = {
      "filter", where / "photos", "--keep", "width>=100000", "--to",      where / "disk/dropped", "--action",
      "move",   "--sidecars",     "*.txt",  "--json",        "--catalog", where / "catalog"};
  CHECK(Run(command).exit_code == 75);
  CHECK(std::filesystem::exists(where / "disk/dropped/a.png"));
  where.Write("photos/d.png", TestFolder::Read(SampleData() + "/icon_tiny.png") + " ");
  std::vector<std::string> again = command;
  again.insert(again.end(), {"--undo-file", where / "other.tsv"});
  const ProcessResult next = Run(again);
  INFO(next.err);
  CHECK(next.exit_code == 1);
  const nlohmann::json json = Json(next);
  CHECK(json["acted"] == 1);
  REQUIRE(json["action_failures"].size() == 1);
  CHECK(json["action_failures"][0]["path"] == where / "photos/a.txt");
  CHECK(next.err.find("1 done, 1 failed") != std::string::npos);
  CHECK(std::filesystem::exists(where / "photos/a.txt"));
}

TEST_CASE("a catalog on a full disk") {
  const TestFolder where;
  const SmallDisk disk(where / "disk", "64k");
  if (!disk.mounted()) return;
  CopySamples(where / "photos");
  REQUIRE(Run(Upscale(where / "photos", where / "undisturbed", {})).exit_code == 0);
  const FolderBytes expected = ReadFolder(where / "undisturbed");
  // 0: room for nothing at all; 64k and 100k: the file is made, and somewhere in the run no row fits any
  // more.
  for (const std::string size : {"8k", "64k", "100k"}) {
    CAPTURE(size);
    disk.Enlarge(size);
    const std::string out = where / ("out" + size);
    const std::vector<std::string> command =
        Upscale(where / "photos", out, {"--catalog", where / "disk/catalog"});
    const ProcessResult full = Run(command);
    INFO(full.out);
    INFO(full.err);
    CHECK(full.exit_code == 75);
    CHECK((full.err.find("full") != std::string::npos || full.err.find("No space") != std::string::npos));
    for (const auto& [name, bytes] : ReadFolder(out)) {
      CAPTURE(name);
      REQUIRE(expected.count(name) == 1);
      CHECK(expected.at(name) == bytes);
    }
    disk.Enlarge("64m");
    const ProcessResult rest = Run(command);
    INFO(rest.err);
    CHECK(rest.exit_code == 0);
    CHECK(Difference(expected, ReadFolder(out)) == "");
    std::filesystem::remove_all(where / "disk/catalog");
  }
}

}  // namespace imgmill::process_test
