// A trash without room keeps its own images where they are, and no others. And its folders are on the disk
// before anything is in them.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kill_at_call.h"
#include "program.h"
#include "small_disk.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

/// a.jpg stays; b.jpg goes to the home trash, c.jpg and d.jpg to that of a small disk, c.jpg with a caption.
struct TwoTrashes {
  TwoTrashes() : disk(where / "disk", "1m,nr_inodes=64") {
    if (!disk.mounted()) return;
    for (const char* path : {"photos/a.jpg", "photos/b.jpg", "disk/photos/c.jpg", "disk/photos/d.jpg"}) {
      fs::create_directories(fs::path(where / path).parent_path());
      fs::copy_file(SampleData() + "/harbour.jpg", where / path);
    }
    where.Write("disk/photos/c.txt", "a caption");
    before = Photos();
  }
  FolderBytes Photos() const {
    FolderBytes all = ReadFolder(where / "photos");
    all.merge(ReadFolder(where / "disk/photos"));
    return all;
  }
  std::string Trash() const { return where / ("disk/.Trash-" + std::to_string(::getuid())); }
  void MakeTrash() const {
    for (const char* within : {"", "/files", "/info"}) {
      fs::create_directory(Trash() + within);
      fs::permissions(Trash() + within, fs::perms::owner_all);
    }
  }
  /// As many pages as there are, but for some.
  void Fill(int free_pages) const {
    constexpr std::array<char, 4096> kPage{};
    std::ofstream filler(where / "disk/filler");
    uintmax_t pages = 0;
    for (filler << std::unitbuf; filler.write(kPage.data(), kPage.size()); ++pages) continue;
    REQUIRE(pages > 2);
    filler.close();
    fs::resize_file(where / "disk/filler", (pages - static_cast<uintmax_t>(free_pages)) * kPage.size());
  }
  void TakeAllNames() const {
    fs::create_directory(where / "disk/names");
    int names = 0;
    while (std::ofstream(where / ("disk/names/" + std::to_string(names)))) REQUIRE(++names < 64);
  }
  ProcessResult Run(std::vector<std::string> words) const {
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + (where / "data")};
    return process_test::Run(words, WithState(options));
  }
  ProcessResult Dedup(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"dedup",
                                      where / "photos",
                                      where / "disk/photos",
                                      "--method",
                                      "exact",
                                      "--action",
                                      "trash",
                                      "--sidecars",
                                      "*.txt",
                                      "--catalog",
                                      where / "state",
                                      "--json",
                                      "--keep-by",
                                      "folder:" + (where / "photos")};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  TestFolder where;
  SmallDisk disk;
  FolderBytes before;
};

/// @param folders  the trash has its folders, and room for no note; else there is none for these
/// @param again    whether a run with room follows before all is undone
void FillsUp(bool folders, bool again) {
  const TwoTrashes two;
  if (!two.disk.mounted()) return;
  const TestFolder& where = two.where;
  if (folders) {
    two.MakeTrash();
    two.Fill(0);
  } else {
    two.TakeAllNames();
  }
  const ProcessResult full = two.Dedup();
  INFO(full.err);
  CHECK(full.exit_code == 1);
  CHECK(full.err.find("trash: 1 done, 2 failed; undo with: imgmill undo ") != std::string::npos);
  CHECK(full.err.find(folders ? "write its note: " : "make the trash ") != std::string::npos);
  const nlohmann::json json = Json(full);
  CHECK(json["acted"] == 1);
  REQUIRE(json["action_failures"].size() == 2);
  for (const auto& failure : json["action_failures"]) {
    const std::string message = failure["message"];
    CAPTURE(message);
    CHECK(failure["path"].get<std::string>().starts_with(where / "disk/photos/"));
    CHECK(failure["code"] == "disk_full");
    CHECK(message.find(fs::canonical(where.path()).string() + "/disk/.Trash-") != std::string::npos);
    CHECK(message.find("make room on its file system") != std::string::npos);
    CHECK(message.find("--action move") != std::string::npos);
  }
  FolderBytes left = two.before;
  left.erase("b.jpg");
  CHECK(Difference(left, two.Photos()) == "");
  CHECK(fs::exists(where / "data/Trash/files/b.jpg"));
  if (fs::exists(two.Trash() + "/info")) CHECK(ReadFolder(two.Trash()).empty());

  if (again) {
    fs::remove_all(where / "disk/names");
    fs::remove(where / "disk/filler");
    const ProcessResult rest = two.Dedup();
    INFO(rest.err);
    CHECK(rest.exit_code == 0);
    CHECK(rest.err.find("trash: 2 done with 1 side-car, 0 failed") != std::string::npos);
    CHECK(two.Photos().size() == 1);
    CHECK(ReadFolder(two.Trash()).size() == 6);
    CHECK(two.Run({"undo", Json(rest)["undo_file"].get<std::string>()}).exit_code == 0);
  }
  const ProcessResult undone = two.Run({"undo", json["undo_file"].get<std::string>()});
  INFO(undone.err);
  CHECK(undone.exit_code == 0);
  CHECK(Difference(two.before, two.Photos()) == "");
  CHECK_FALSE(fs::exists(where / "data"));
}

}  // namespace

TEST_CASE("a full trash keeps its own images, which are named, and no others; a rerun with room goes on") {
  for (const bool folders : {false, true}) {
    for (const bool again : {false, true}) {
      CAPTURE(folders);
      CAPTURE(again);
      FillsUp(folders, again);
    }
  }
}

TEST_CASE("where a trash has room for one of two notes, an image does not go without its caption") {
  const TwoTrashes two;
  if (!two.disk.mounted()) return;
  two.MakeTrash();
  two.Fill(1);
  const ProcessResult full = two.Dedup();
  INFO(full.err);
  CHECK(full.exit_code == 1);
  CHECK(full.err.find("/c.txt cannot go with it: in the trash ") != std::string::npos);
  FolderBytes left = two.before;
  left.erase("b.jpg");
  CHECK(Difference(left, two.Photos()) == "");
  CHECK(ReadFolder(two.Trash()).empty());
  CHECK(two.Run({"undo", Json(full)["undo_file"].get<std::string>()}).exit_code == 0);
  CHECK(Difference(two.before, two.Photos()) == "");
}

TEST_CASE("folders of a new trash are synced where they are named, before its first file, and only then") {
  const TestFolder where;
  const std::string data = fs::canonical(where.path()).string() + "/data";
  const auto synced_by_run = [&](const std::string& undo) {
    for (const char* name : {"a.jpg", "b.jpg"})
      fs::copy_file(SampleData() + "/harbour.jpg", where / name, fs::copy_options::skip_existing);
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + data};
    std::vector<std::string> synced;
    const auto see = [&](pid_t thread, const __ptrace_syscall_info& call) {
      const std::string link =
          "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(call.seccomp.args[0]);
      if (call.seccomp.nr == SYS_fsync) {
        synced.push_back(fs::read_symlink(link).string());
      } else if (fs::exists(where / "data/Trash/files/b.jpg")) {
        synced.emplace_back("gone");
      }
    };
    const KillOutcome outcome =
        KillAtCall(Imgmill({"dedup", where / "a.jpg", where / "b.jpg", "--method", "exact", "--action",
                            "trash", "--no-catalog", "--undo-file", where / undo}),
                   WithState(options).environment, {SYS_fsync, SYS_fdatasync}, INT_MAX, nullptr, see);
    if (outcome == KillOutcome::kCannotTrace) return std::vector<std::string>();
    REQUIRE(fs::exists(where / "data/Trash/files/b.jpg"));
    return synced;
  };
  const std::vector<std::string> first = synced_by_run("u1");
  if (first.empty()) {
    MESSAGE("SKIPPED: this system lets no process trace another");
    return;
  }
  const auto gone = std::find(first.begin(), first.end(), "gone");
  CHECK(gone != first.end());
  for (const std::string& folder : {data, data + "/Trash"}) {
    CAPTURE(folder);
    CHECK(std::count(first.begin(), gone, folder) == 1);
    CHECK(std::count(gone, first.end(), folder) == 0);
  }
  fs::remove(where / "data/Trash/files/b.jpg");
  fs::remove(where / "data/Trash/info/b.jpg.trashinfo");
  const std::vector<std::string> second = synced_by_run("u2");
  CHECK(std::count(second.begin(), second.end(), data + "/Trash") == 0);
  CHECK(std::count(second.begin(), second.end(), data + "/Trash/info") > 0);
}

}  // namespace imgmill::process_test
