// The desktop's trash: where files go and what is noted of them, by the specification's words, and undo.
// Where there is trash-cli, another program's reading of it.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "program.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

struct Photos {
  explicit Photos(const std::string& below = fs::temp_directory_path().string()) : where(below) {
    const auto put = [&](const std::string& to) {
      fs::create_directories(fs::path(where / to).parent_path());
      fs::copy_file(SampleData() + "/harbour.jpg", where / to);
    };
    put("photos/a.jpg");
    put("photos/b c%.jpg");
    put("photos/below/b c%.jpg");
    put("photos/\xc3\xa4.jpg");
    before = ReadFolder(where / "photos");
  }
  ProcessResult Run(std::vector<std::string> words) const {
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + (where / "data")};
    return process_test::Run(words, WithState(options));
  }
  ProcessResult Dedup(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"dedup",       where / "photos",  "--method",  "exact",
                                      "--action",    "trash",           "--catalog", where / "cat",
                                      "--undo-file", where / "undo.tsv"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  TestFolder where;
  FolderBytes before;
};

unsigned ModeOf(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

/// Whether the note is as the specification has it: a group, a path that is escaped as in a URL, a local
/// time; then a line that it lets others ignore, by which undo knows the note.
bool IsNote(const std::string& text, const std::string& path) {
  static const std::regex date(
      "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\nX-imgmill-Moment=.*\n");
  const std::string begin = "[Trash Info]\nPath=" + path + "\nDeletionDate=";
  return text.starts_with(begin) && std::regex_match(text.substr(begin.size()), date);
}

}  // namespace

TEST_CASE("duplicates go to the home trash with notes on where they were, and undo brings them back") {
  const Photos photos;
  const TestFolder& where = photos.where;
  const std::string trash = where / "data/Trash";
  const ProcessResult dry = photos.Dedup({"--dry-run"});
  CHECK(dry.exit_code == 0);
  const std::string real = fs::canonical(where.path()).string() + "/data/Trash";
  CHECK(dry.err.find("; 3 files would go to the trash " + real + "; dry run") != std::string::npos);
  CHECK_FALSE(fs::exists(trash));
  const ProcessResult done = photos.Dedup({"--html", where / "page.html"});
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(done.err.find("trash: 3 done, 0 failed") != std::string::npos);
  CHECK(ReadFolder(where / "photos").size() == 1);
  for (const std::string& folder : {trash, trash + "/files", trash + "/info"}) CHECK(ModeOf(folder) == 0700);
  // Of two files of one name the second has a number.
  const std::string root = fs::canonical(where.path()).string() + "/photos/";
  for (const auto& [name, was] : std::map<std::string, std::string>{{"b c%.jpg", "b%20c%25.jpg"},
                                                                    {"b c%-2.jpg", "below/b%20c%25.jpg"},
                                                                    {"\xc3\xa4.jpg", "%C3%A4.jpg"}}) {
    CAPTURE(name);
    CHECK(TestFolder::Read(trash + "/files/" + name) == photos.before.at("a.jpg"));
    CHECK(IsNote(TestFolder::Read(trash + "/info/" + name + ".trashinfo"), root + was));
  }
  CHECK(fs::exists(where / "page.html"));

  SUBCASE("undone") {}
  SUBCASE("undone by another, in part") {
    const auto at = [&](const std::string& folder, const std::string& name) {
      return trash + "/" + folder + "/" + name;
    };
    fs::rename(at("files", "b c%.jpg"), where / "photos/b c%.jpg");
    fs::remove(at("info", "b c%.jpg.trashinfo"));
  }
  SUBCASE("undone after the trash was emptied: from the kept file, which has the same bytes") {
    fs::remove_all(trash + "/files");
    fs::remove_all(trash + "/info");
  }
  const ProcessResult undone = photos.Run({"undo", where / "undo.tsv"});
  INFO(undone.err);
  CHECK(undone.exit_code == 0);
  CHECK(Difference(photos.before, ReadFolder(where / "photos")) == "");
  CHECK_FALSE(fs::exists(where / "data"));
}

TEST_CASE("what is in the trash already keeps its name, file or note") {
  const Photos photos;
  const TestFolder& where = photos.where;
  where.Write("data/Trash/files/\xc3\xa4.jpg", "another");
  where.Write("data/Trash/info/b c%.jpg.trashinfo", "[Trash Info]\nPath=/elsewhere/b%20c%25.jpg\n");
  REQUIRE(photos.Dedup().exit_code == 0);
  CHECK(TestFolder::Read(where / "data/Trash/files/\xc3\xa4.jpg") == "another");
  for (const char* name : {"\xc3\xa4-2.jpg", "b c%-2.jpg", "b c%-3.jpg"})
    CHECK(fs::exists(where / ("data/Trash/files/" + std::string(name))));
  CHECK(photos.Run({"undo", where / "undo.tsv"}).exit_code == 0);
  CHECK(Difference(photos.before, ReadFolder(where / "photos")) == "");
  CHECK(ReadFolder(where / "data").size() == 2);
}

TEST_CASE("on another file system files go to the trash at its top, an administrator's first") {
  struct stat there {
  }, here{};
  const TestFolder home;
  if (::stat("/dev/shm", &there) != 0 || ::stat(home.path().c_str(), &here) != 0 ||
      here.st_dev == there.st_dev || ::access("/dev/shm", W_OK) != 0 || fs::exists("/dev/shm/.Trash")) {
    MESSAGE("SKIPPED: no other file system at /dev/shm to put files into");
    return;
  }
  const Photos photos("/dev/shm");
  const std::string user = std::to_string(::getuid());
  const bool was_there = fs::exists("/dev/shm/.Trash-" + user);
  const std::string undo = home / "undo.tsv";
  const auto run = [&](std::vector<std::string> words) {
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + (home / "data")};
    return Run(words, WithState(options));
  };
  const auto dedup = [&] {
    const ProcessResult result = run({"dedup", photos.where / "photos", "--method", "exact", "--action",
                                      "trash", "--catalog", home / "cat", "--undo-file", undo});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK_FALSE(fs::exists(home / "data"));
  };
  const auto noted = [&](const std::string& trash) {
    const std::string below = fs::relative(photos.where.path(), "/dev/shm").string();
    for (const auto& entry : fs::directory_iterator(trash + "/info")) {
      if (IsNote(TestFolder::Read(entry.path().string()), below + "/photos/%C3%A4.jpg")) return true;
    }
    return false;
  };
  const auto take_back = [&] {
    CHECK(run({"undo", undo}).exit_code == 0);
    CHECK(Difference(photos.before, ReadFolder(photos.where / "photos")) == "");
    fs::remove(undo);
  };
  dedup();
  CHECK(noted("/dev/shm/.Trash-" + user));
  take_back();
  CHECK(fs::exists("/dev/shm/.Trash-" + user) == was_there);
  // One for all users has to be a sticky folder.
  REQUIRE(::mkdir("/dev/shm/.Trash", 0755) == 0);
  dedup();
  CHECK(noted("/dev/shm/.Trash-" + user));
  CHECK(fs::is_empty("/dev/shm/.Trash"));
  take_back();
  REQUIRE(::chmod("/dev/shm/.Trash", 01777) == 0);
  dedup();
  CHECK(noted("/dev/shm/.Trash/" + user));
  take_back();
  fs::remove_all("/dev/shm/.Trash");
}

TEST_CASE("trash-cli lists what is in the trash under its old paths, and puts it back") {
  const Photos photos;
  const TestFolder& where = photos.where;
  const std::string list = "/usr/bin/trash-list", restore = "/usr/bin/trash-restore";
  if (!fs::exists(list) || !fs::exists(restore)) {
    MESSAGE("SKIPPED: no trash-cli");
    return;
  }
  REQUIRE(photos.Dedup().exit_code == 0);
  const auto run = [&](const std::vector<std::string>& words) {
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + (where / "data"), "LC_ALL=C.UTF-8"};
    Process process(words, options);
    return process.Wait();
  };
  const ProcessResult listed = run({list});
  INFO(listed.err);
  const std::string root = fs::canonical(where.path()).string() + "/photos/";
  for (const char* path : {"b c%.jpg", "below/b c%.jpg", "\xc3\xa4.jpg"})
    CHECK(listed.out.find(" " + root + path + "\n") != std::string::npos);
  // It asks which one of those that were at this path.
  const ProcessResult restored =
      run({"/bin/sh", "-c", "echo 0 | " + restore + " \"$1\"", "sh", root + "below/b c%.jpg"});
  INFO(restored.out);
  INFO(restored.err);
  CHECK(restored.exit_code == 0);
  CHECK(TestFolder::Read(where / "photos/below/b c%.jpg") == photos.before.at("below/b c%.jpg"));
  CHECK_FALSE(fs::exists(where / "data/Trash/info/b c%-2.jpg.trashinfo"));
  CHECK(ReadFolder(where / "photos").size() == 2);
  CHECK(photos.Run({"undo", where / "undo.tsv"}).exit_code == 0);
  CHECK(Difference(photos.before, ReadFolder(where / "photos")) == "");
  CHECK_FALSE(fs::exists(where / "data"));
}

TEST_CASE("filter and apply trash, too; what does not go with it is refused") {
  const Photos photos;
  const TestFolder& where = photos.where;
  where.Write("photos/a.txt", "a caption");
  const auto filter = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"filter",    where / "photos", "--keep",      "short_side>5000",
                                      "--catalog", where / "cat",    "--undo-file", where / "undo.tsv"};
    words.insert(words.end(), more.begin(), more.end());
    return photos.Run(words);
  };
  CHECK(filter({"--action", "trash", "--to", where / "x"}).exit_code == 2);
  CHECK(filter({"--action", "trash", "--act-on", "kept"}).exit_code == 2);
  CHECK(photos.Dedup({"--move-to", where / "x"}).exit_code == 2);
  const std::string trash = fs::canonical(where.path()).string() + "/data/Trash";
  const nlohmann::json dry =
      Json(filter({"--action", "trash", "--sidecars", "*.txt", "--dry-run", "--json"}));
  CHECK(dry["trash"] == nlohmann::json::array({{{"folder", trash}, {"files", 5}}}));
  const ProcessResult done = filter({"--action", "trash", "--sidecars", "*.txt"});
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(done.err.find("trash: 4 done with 1 side-car, 0 failed") != std::string::npos);
  CHECK(TestFolder::Read(where / "data/Trash/files/a.txt") == "a caption");
  CHECK(fs::exists(where / "data/Trash/info/a.txt.trashinfo"));
  CHECK(ReadFolder(where / "photos").empty());
  CHECK(photos.Run({"undo", where / "undo.tsv"}).exit_code == 0);
  fs::remove(where / "photos/a.txt");
  CHECK(Difference(photos.before, ReadFolder(where / "photos")) == "");
  CHECK_FALSE(fs::exists(where / "data"));
}

}  // namespace imgmill::process_test
