// A full disk: the run stops with 75 and says why, and the same command finishes once there is room.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "program.h"

namespace imgmill::process_test {
namespace {

/// A file system in memory of a fixed size; needs the right to mount.
class SmallDisk {
 public:
  SmallDisk(const std::string& path, const std::string& size) : path_(path) {
    std::filesystem::create_directories(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    if (!mounted_) MESSAGE("SKIPPED: cannot mount a tmpfs: " << std::strerror(errno));
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  void Enlarge(const std::string& size) const {
    REQUIRE(::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()) == 0);
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

std::vector<std::string> Upscale(const std::string& photos, const std::string& out,
                                 std::vector<std::string> more = {}) {
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

}  // namespace

TEST_CASE("an output folder on a full disk") {
  const TestFolder where;
  const SmallDisk disk(where / "disk", "3m");
  if (!disk.mounted()) return;
  CopySamples(where / "photos");
  REQUIRE(Run(Upscale(where / "photos", where / "undisturbed")).exit_code == 0);
  const FolderBytes expected = ReadFolder(where / "undisturbed");

  const std::vector<std::vector<std::string>> catalogs = {
      {}, {"--catalog", where / "catalog"}, {"--no-catalog"}};
  int round = 0;
  for (const std::vector<std::string>& catalog : catalogs) {
    CAPTURE(round);
    disk.Enlarge("3m");
    const std::string out = where / ("disk/out" + std::to_string(round++));
    const ProcessResult full = Run(Upscale(where / "photos", out, catalog));
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
    disk.Enlarge("64m");
    std::vector<std::string> again = catalog;
    if (catalog == catalogs[2]) again.push_back("--force");  // nothing remembers whose the finished ones are
    const ProcessResult rest = Run(Upscale(where / "photos", out, again));
    INFO(rest.err);
    CHECK(rest.exit_code == 0);
    CHECK(Difference(expected, ReadFolder(out)) == "");
    std::filesystem::remove_all(out);
  }
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

TEST_CASE("a catalog on a full disk") {
  const TestFolder where;
  const SmallDisk disk(where / "disk", "64k");
  if (!disk.mounted()) return;
  CopySamples(where / "photos");
  REQUIRE(Run(Upscale(where / "photos", where / "undisturbed")).exit_code == 0);
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
