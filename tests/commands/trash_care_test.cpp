// The trash where things are not as usual: names that are taken or long, a trash that was emptied and filled
// by others, folders that are links or somebody else's. What the disk holds is checked by the specification.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "program.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

struct Trashed {
  explicit Trashed(const std::string& below = fs::temp_directory_path().string()) : where(below) {
    Put("harbour.jpg", "photos/a.jpg");
  }
  void Put(const std::string& sample, const std::string& to) const {
    fs::create_directories(fs::path(where / to).parent_path());
    fs::copy_file(SampleData() + "/" + sample, where / to);
  }
  ProcessResult Run(const std::vector<std::string>& words) const {
    ProcessOptions options;
    options.environment = environment;
    if (environment.empty()) options.environment = {"XDG_DATA_HOME=" + (where / "data")};
    return process_test::Run(words, WithState(options));
  }
  ProcessResult Dedup(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"dedup",       where / "photos",  "--method", "exact",
                                      "--action",    "trash",           "-j1",      "--no-catalog",
                                      "--undo-file", where / "undo.tsv"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  ProcessResult Undo() const { return Run({"undo", where / "undo.tsv"}); }
  std::string Note(const std::string& name) const {
    return TestFolder::Read(where / ("data/Trash/info/" + name + ".trashinfo"));
  }
  bool Notes(const std::string& name, const std::string& path) const {
    return Note(name).starts_with("[Trash Info]\nPath=" + fs::canonical(where.path()).string() + "/" + path +
                                  "\n");
  }
  TestFolder where;
  std::vector<std::string> environment;
};

}  // namespace

TEST_CASE("an image and its partner of an equal name both go to the trash, and so do side-cars") {
  const Trashed trashed;
  const TestFolder& where = trashed.where;
  trashed.Put("harbour.jpg", "photos/b.jpg");
  trashed.Put("icon_tiny.png", "small/a.jpg");
  trashed.Put("marble.jpg", "small/b.jpg");
  where.Write("photos/b.txt", "a caption");
  where.Write("data/Trash/files/b.txt", "somebody's");
  const FolderBytes photos = ReadFolder(where / "photos"), small = ReadFolder(where / "small");
  const ProcessResult done = trashed.Dedup({"--pair", where / "small", "--sidecars", "*.txt"});
  INFO(done.err);
  CHECK(done.exit_code == 0);
  CHECK(done.err.find("trash: 1 done with 1 partner and 1 side-car, 0 failed") != std::string::npos);
  CHECK(ReadFolder(where / "photos").size() == 1);
  CHECK(ReadFolder(where / "small").size() == 1);
  const std::string files = where / "data/Trash/files/";
  CHECK(TestFolder::Read(files + "b.jpg") == photos.at("b.jpg"));
  CHECK(TestFolder::Read(files + "b-2.jpg") == small.at("b.jpg"));
  CHECK(TestFolder::Read(files + "b-2.txt") == "a caption");
  CHECK(trashed.Notes("b.jpg", "photos/b.jpg"));
  CHECK(trashed.Notes("b-2.jpg", "small/b.jpg"));
  CHECK(trashed.Notes("b-2.txt", "photos/b.txt"));
  CHECK(trashed.Undo().exit_code == 0);
  CHECK(Difference(photos, ReadFolder(where / "photos")) == "");
  CHECK(Difference(small, ReadFolder(where / "small")) == "");
  CHECK(TestFolder::Read(files + "b.txt") == "somebody's");
}

TEST_CASE("undo leaves what others have put into an emptied trash under names of ours") {
  const Trashed trashed;
  const TestFolder& where = trashed.where;
  trashed.Put("harbour.jpg", "photos/b.jpg");
  const FolderBytes before = ReadFolder(where / "photos");
  const std::string file = where / "data/Trash/files/b.jpg";
  const std::string note = where / "data/Trash/info/b.jpg.trashinfo";
  REQUIRE(trashed.Dedup().exit_code == 0);
  fs::remove(file);
  SUBCASE("with a note") {
    where.Write("data/Trash/files/b.jpg", "another's");
    where.Write("data/Trash/info/b.jpg.trashinfo", "[Trash Info]\nPath=/elsewhere/b.jpg\n");
    CHECK(trashed.Undo().exit_code == 0);
    CHECK(TestFolder::Read(file) == "another's");
    CHECK(trashed.Note("b.jpg") == "[Trash Info]\nPath=/elsewhere/b.jpg\n");
  }
  SUBCASE("without a note") {
    fs::remove(note);
    where.Write("data/Trash/files/b.jpg", "another's");
    CHECK(trashed.Undo().exit_code == 0);
    CHECK(TestFolder::Read(file) == "another's");
    CHECK_FALSE(fs::exists(note));
  }
  SUBCASE("only its file was removed") {
    CHECK(trashed.Undo().exit_code == 0);
    CHECK_FALSE(fs::exists(where / "data"));
  }
  CHECK(Difference(before, ReadFolder(where / "photos")) == "");
}

TEST_CASE("what was edited in the trash comes back as it is, and what is gone is named") {
  const Trashed trashed;
  const TestFolder& where = trashed.where;
  trashed.Put("marble.jpg", "photos/b.jpg");
  REQUIRE(trashed
              .Run({"filter", where / "photos", "--keep", "short_side>5000", "--action", "trash",
                    "--no-catalog", "--undo-file", where / "undo.tsv"})
              .exit_code == 0);
  where.Write("data/Trash/files/a.jpg", "edited");
  where.Write("data/Trash/files/b.jpg", "another's");
  where.Write("data/Trash/info/b.jpg.trashinfo", "[Trash Info]\nPath=/elsewhere/b.jpg\n");
  const ProcessResult undone = trashed.Undo();
  CHECK(undone.exit_code == 1);
  CHECK(undone.err.find("data/Trash/files/b.jpg is no longer in the trash") != std::string::npos);
  CHECK(TestFolder::Read(where / "photos/a.jpg") == "edited");
  CHECK_FALSE(fs::exists(where / "photos/b.jpg"));
  CHECK(TestFolder::Read(where / "data/Trash/files/b.jpg") == "another's");
}

TEST_CASE("a link comes back as a link from an emptied trash") {
  const Trashed trashed;
  const TestFolder& where = trashed.where;
  fs::create_symlink("a.jpg", where / "photos/z.jpg");
  REQUIRE(trashed.Dedup().exit_code == 0);
  REQUIRE_FALSE(fs::is_symlink(where / "photos/z.jpg"));
  REQUIRE(fs::is_symlink(where / "data/Trash/files/z.jpg"));
  SUBCASE("emptied") {
    fs::remove(where / "data/Trash/files/z.jpg");
    fs::remove(where / "data/Trash/info/z.jpg.trashinfo");
  }
  SUBCASE("but for its note") {
    fs::remove(where / "data/Trash/files/z.jpg");
  }
  CHECK(trashed.Undo().exit_code == 0);
  REQUIRE(fs::is_symlink(where / "photos/z.jpg"));
  CHECK(fs::read_symlink(where / "photos/z.jpg") == "a.jpg");
  CHECK_FALSE(fs::exists(where / "data"));
}

TEST_CASE("a note that another program is about to write stays") {
  const Trashed trashed;
  const TestFolder& where = trashed.where;
  trashed.Put("harbour.jpg", "photos/b.jpg");
  REQUIRE(trashed.Dedup().exit_code == 0);
  fs::rename(where / "data/Trash/files/b.jpg", where / "photos/b.jpg");
  where.Write("data/Trash/info/b.jpg.trashinfo", "");
  CHECK(trashed.Undo().exit_code == 0);
  CHECK(fs::exists(where / "data/Trash/info/b.jpg.trashinfo"));
}

TEST_CASE("the home trash is found through links") {
  Trashed trashed;
  const TestFolder& where = trashed.where;
  trashed.Put("harbour.jpg", "photos/b.jpg");
  const FolderBytes before = ReadFolder(where / "photos");
  fs::create_directory(where / "real");
  std::string trash;
  SUBCASE("of the home folder") {
    fs::create_symlink("real", where / "home");
    trash = where / "real/.local/share/Trash";
  }
  SUBCASE("of a folder in it") {
    fs::create_directories(where / "home/.local");
    fs::create_symlink("../../real", where / "home/.local/share");
    trash = where / "real/Trash";
  }
  SUBCASE("of the trash itself") {
    fs::create_directories(where / "home/.local/share");
    fs::create_symlink("../../../real", where / "home/.local/share/Trash");
    trash = where / "real";
  }
  trashed.environment = {"HOME=" + (where / "home"), "XDG_DATA_HOME="};
  const ProcessResult done = trashed.Dedup();
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(fs::exists(trash + "/files/b.jpg"));
  CHECK(TestFolder::Read(trash + "/info/b.jpg.trashinfo")
            .starts_with("[Trash Info]\nPath=" + fs::canonical(where.path()).string() + "/photos/b.jpg\n"));
  CHECK(trashed.Undo().exit_code == 0);
  CHECK(Difference(before, ReadFolder(where / "photos")) == "");
}

TEST_CASE("names that leave no room for a note's ending are shortened in the trash") {
  const Trashed trashed;
  const TestFolder& where = trashed.where;
  const std::string longest(251, 'n');
  for (const std::string& name : {longest + ".jpg", longest.substr(9) + ".jpg", "sub/" + longest + ".jpg"})
    trashed.Put("harbour.jpg", "photos/" + name);
  where.Write("photos/" + longest + ".txt", "a caption");
  const FolderBytes before = ReadFolder(where / "photos");
  const ProcessResult done = trashed.Dedup({"--sidecars", "*.txt"});
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(done.err.find("trash: 3 done with 1 side-car, 0 failed") != std::string::npos);
  CHECK(ReadFolder(where / "photos").size() == 1);
  for (const auto& entry : fs::directory_iterator(where / "data/Trash/files"))
    CHECK(fs::exists(where / ("data/Trash/info/" + entry.path().filename().string() + ".trashinfo")));
  CHECK(trashed.Undo().exit_code == 0);
  CHECK(Difference(before, ReadFolder(where / "photos")) == "");
  CHECK_FALSE(fs::exists(where / "data"));
}

TEST_CASE("a trash at a mount's top is used if it is the user's alone") {
  struct stat there {
  }, here{};
  const TestFolder home;
  const std::string user = std::to_string(::getuid());
  const std::string own = "/dev/shm/.Trash-" + user, for_all = "/dev/shm/.Trash";
  if (::stat("/dev/shm", &there) != 0 || ::stat(home.path().c_str(), &here) != 0 ||
      here.st_dev == there.st_dev || ::access("/dev/shm", W_OK) != 0 || fs::exists(for_all) ||
      fs::exists(own)) {
    MESSAGE("SKIPPED: no other file system at /dev/shm without a trash");
    return;
  }
  Trashed trashed("/dev/shm");
  const TestFolder& where = trashed.where;
  trashed.Put("harbour.jpg", "photos/b.jpg");
  trashed.environment = {"XDG_DATA_HOME=" + (home / "data")};
  const FolderBytes before = ReadFolder(where / "photos");
  bool refused = false;
  SUBCASE("one that a group may write to is not") {
    REQUIRE(::mkdir(own.c_str(), 0700) == 0);
    REQUIRE(::chmod(own.c_str(), 0770) == 0);
    refused = true;
  }
  SUBCASE("nor is one with a folder that all may write to") {
    REQUIRE(::mkdir(own.c_str(), 0700) == 0);
    REQUIRE(::mkdir((own + "/info").c_str(), 0700) == 0);
    REQUIRE(::chmod((own + "/info").c_str(), 0777) == 0);
    refused = true;
  }
  SUBCASE("nor is one that a link leads to") {
    fs::create_directory(where / "trap");
    fs::create_symlink(where / "trap", own);
    refused = true;
  }
  SUBCASE("nor is another's") {
    if (::geteuid() != 0) return;
    REQUIRE(::mkdir(own.c_str(), 0700) == 0);
    REQUIRE(::chown(own.c_str(), 65534, 65534) == 0);
    refused = true;
  }
  SUBCASE("among those of all users another's is passed over") {
    if (::geteuid() != 0) return;
    REQUIRE(::mkdir(for_all.c_str(), 0755) == 0);
    REQUIRE(::chmod(for_all.c_str(), 01777) == 0);
    REQUIRE(::mkdir((for_all + "/" + user).c_str(), 0700) == 0);
    REQUIRE(::chown((for_all + "/" + user).c_str(), 65534, 65534) == 0);
  }
  const ProcessResult done = trashed.Dedup();
  INFO(done.err);
  if (refused) {
    CHECK(done.exit_code == 1);
    CHECK(done.err.find("is not used: it is no folder of yours") != std::string::npos);
    CHECK(Difference(before, ReadFolder(where / "photos")) == "");
  } else {
    CHECK(done.exit_code == 0);
    CHECK(fs::exists(own + "/files/b.jpg"));
    CHECK(trashed.Undo().exit_code == 0);
    CHECK(Difference(before, ReadFolder(where / "photos")) == "");
  }
  fs::remove_all(own);
  fs::remove_all(for_all);
}

TEST_CASE("a trash that cannot be made is found before an image goes without its partner") {
  struct stat there {
  }, here{};
  const std::string own = "/dev/shm/.Trash-" + std::to_string(::getuid());
  Trashed trashed;
  const TestFolder& where = trashed.where;
  trashed.Put("harbour.jpg", "photos/b.jpg");
  SUBCASE("at home") {
    SUBCASE("its folder is a file") {
      where.Write("data", "a file");
    }
    SUBCASE("a folder in it is") {
      where.Write("data/Trash/files", "a file");
    }
    const ProcessResult done = trashed.Dedup();
    CHECK(done.exit_code == 1);
    CHECK(done.err.find("make the trash ") != std::string::npos);
    CHECK(done.err.find("--action move puts files into a folder of your choice") != std::string::npos);
    CHECK(fs::exists(where / "photos/b.jpg"));
  }
  SUBCASE("on the partner's mount") {
    if (::stat("/dev/shm", &there) != 0 || ::stat(where.path().c_str(), &here) != 0 ||
        here.st_dev == there.st_dev || ::access("/dev/shm", W_OK) != 0 || fs::exists("/dev/shm/.Trash") ||
        fs::exists(own)) {
      MESSAGE("SKIPPED: no other file system at /dev/shm without a trash");
      return;
    }
    const TestFolder small("/dev/shm");
    for (const char* name : {"a", "b"}) small.Write(name + std::string(".jpg"), name);
    REQUIRE(::mkdir(own.c_str(), 0700) == 0);
    std::ofstream(own + "/files") << "a file";
    const ProcessResult done = trashed.Dedup({"--pair", small.path()});
    fs::remove_all(own);
    INFO(done.err);
    CHECK(done.exit_code == 1);
    CHECK(fs::exists(where / "photos/b.jpg"));
    CHECK(fs::exists(small / "b.jpg"));
  }
}

}  // namespace imgmill::process_test
