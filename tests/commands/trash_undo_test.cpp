// What undo and reruns leave alone: files that stand where ours were. Each was somebody's only copy.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <regex>

#include "program.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

/// a.jpg and what duplicates it are dropped, or the latter by dedup.
struct Dropped {
  Dropped() {
    fs::create_directories(where / "photos");
    fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/a.jpg");
  }
  ProcessResult Run(const std::vector<std::string>& words) const {
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + (where / "data")};
    return process_test::Run(words, WithState(options));
  }
  ProcessResult Dedup(const std::string& undo,
                      const std::vector<std::string>& more = {"--action", "trash"}) const {
    std::vector<std::string> words = {"dedup", where / "photos", "--method",    "exact",
                                      "-j1",   "--no-catalog",   "--undo-file", where / undo};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  ProcessResult Undo(const std::string& undo) const { return Run({"undo", where / undo}); }
  /// As a run leaves it that is killed between an act and the line that says so.
  void CutOff(const std::string& undo) const {
    const std::string text = TestFolder::Read(where / undo);
    where.Write(undo, text.substr(0, text.find("\ndone\t") + 1));
  }
  std::string InTrash(const std::string& name) const { return where / ("data/Trash/files/" + name); }
  TestFolder where;
};

}  // namespace

TEST_CASE("undo of a trashed link leaves the file that has its name in the trash now") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::create_symlink("a.jpg", where / "photos/z.jpg");
  REQUIRE(dropped.Dedup("u1").exit_code == 0);
  REQUIRE(fs::is_symlink(dropped.InTrash("z.jpg")));
  fs::remove(dropped.InTrash("z.jpg"));
  SUBCASE("and our note") {}
  SUBCASE("and a note of the same path") {
    where.Write("data/Trash/info/z.jpg.trashinfo",
                "[Trash Info]\nPath=" + fs::canonical(where.path()).string() +
                    "/photos/z.jpg\nDeletionDate=2001-01-01T00:00:00\n");
  }
  where.Write("data/Trash/files/z.jpg", "the only copy");
  CHECK(dropped.Undo("u1").exit_code == 0);
  CHECK(TestFolder::Read(dropped.InTrash("z.jpg")) == "the only copy");
  CHECK(fs::read_symlink(where / "photos/z.jpg") == "a.jpg");
}

TEST_CASE("undo of a trashed link leaves the link that has its name in the trash now") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/b.jpg");
  fs::create_symlink("b.jpg", where / "photos/z.jpg");
  fs::create_symlink("z.jpg", where / "photos/zz.jpg");
  REQUIRE(dropped.Dedup("u1").exit_code == 0);
  // It was led to where its file has gone.
  REQUIRE(fs::read_symlink(dropped.InTrash("z.jpg")) == "b.jpg");
  std::string stays;
  SUBCASE("it is ours") {}
  SUBCASE("it is another's") {
    stays = "elsewhere.jpg";
    fs::remove(dropped.InTrash("z.jpg"));
    fs::create_symlink(stays, dropped.InTrash("z.jpg"));
  }
  CHECK(dropped.Undo("u1").exit_code == 0);
  CHECK(fs::read_symlink(where / "photos/z.jpg") == "b.jpg");
  CHECK(fs::read_symlink(where / "photos/zz.jpg") == "z.jpg");
  CHECK(fs::exists(where / "photos/b.jpg"));
  if (stays.empty())
    CHECK_FALSE(fs::exists(where / "data"));
  else
    CHECK(fs::read_symlink(dropped.InTrash("z.jpg")) == stays);
}

TEST_CASE("undo of a moved link leaves what has its new name now") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::create_symlink("a.jpg", where / "photos/z.jpg");
  REQUIRE(dropped.Dedup("u1", {"--action", "move", "--move-to", where / "mv"}).exit_code == 0);
  REQUIRE(fs::is_symlink(where / "mv/z.jpg"));
  fs::remove(where / "mv/z.jpg");
  SUBCASE("a file") {
    where.Write("mv/z.jpg", "the only copy");
  }
  SUBCASE("another link") {
    fs::create_symlink("/elsewhere/z.jpg", where / "mv/z.jpg");
  }
  SUBCASE("another link, by a relative text, as ours has once it was led to where its file went") {
    fs::create_symlink("elsewhere.jpg", where / "mv/z.jpg");
  }
  const ProcessResult undone = dropped.Undo("u1");
  CHECK(undone.exit_code == 1);
  CHECK(undone.err.find("is not the link that was moved there, and stays") != std::string::npos);
  CHECK(fs::exists(fs::symlink_status(where / "mv/z.jpg")));
  CHECK_FALSE(fs::exists(fs::symlink_status(where / "photos/z.jpg")));
}

TEST_CASE(
    "undo brings back links that were led to where their files went, in a chain and from lost folders") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::create_directories(where / "chain");
  fs::create_directories(where / "links");
  fs::create_directories(where / "files");
  fs::create_directories(where / "else");
  fs::copy_file(SampleData() + "/harbour.jpg", where / "else/real.jpg");
  fs::copy_file(SampleData() + "/marble.jpg", where / "files/f.jpg");
  const std::map<std::string, std::string> texts = {
      {"chain/b.jpg", "c.jpg"}, {"chain/c.jpg", "../else/real.jpg"}, {"links/l.jpg", "../files/f.jpg"}};
  for (const auto& [path, was] : texts) fs::create_symlink(was, where / path);
  std::vector<std::string> action = {"--action", "trash"};
  SUBCASE("trashed") {}
  SUBCASE("moved") {
    action = {"--action", "move", "--to", where / "mv"};
  }
  bool earlier = false;
  SUBCASE("by this version") {}
  SUBCASE("by one that did not write down what it led links by") {
    earlier = true;
  }
  std::vector<std::string> words = {"filter",        where / "chain", where / "links",
                                    where / "files", "--keep",        "short_side>5000",
                                    "--no-catalog",  "--undo-file",   where / "u1"};
  words.insert(words.end(), action.begin(), action.end());
  const ProcessResult done = dropped.Run(words);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const std::string text = TestFolder::Read(where / "u1");
  REQUIRE(text.find("\nled\t") != std::string::npos);
  if (earlier) {
    const std::regex led("\nled\t[^\n]*|\tled(?=\n)");
    where.Write("u1", std::regex_replace(text, led, ""));
  }
  for (const char* folder : {"chain", "links", "files"}) REQUIRE(fs::remove(where / folder));
  const ProcessResult undone = dropped.Undo("u1");
  INFO(undone.err);
  CHECK(undone.exit_code == 0);
  for (const auto& [path, was] : texts) {
    CAPTURE(path);
    REQUIRE(fs::is_symlink(where / path));
    CHECK(fs::read_symlink(where / path) == was);
  }
  CHECK(fs::exists(where / "files/f.jpg"));
  CHECK_FALSE(fs::exists(where / "data"));
  CHECK_FALSE(fs::exists(where / "mv"));
}

TEST_CASE("a side-car whose name in the trash is taken before it follows its image gets another") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/b.jpg");
  where.Write("photos/b.txt", "a caption");
  const std::vector<std::string> action = {"--action", "trash", "--sidecars", "*.txt"};
  REQUIRE(dropped.Dedup("u1", action).exit_code == 0);
  // As after a kill between the two, and before another took the name.
  const std::string text = TestFolder::Read(where / "u1");
  where.Write("u1", text.substr(0, text.find("\n", text.find("\ndone\t") + 1) + 1));
  fs::rename(dropped.InTrash("b.txt"), where / "photos/b.txt");
  const std::string theirs = "[Trash Info]\nPath=/elsewhere/b.txt\nDeletionDate=2001-01-01T00:00:00\n";
  where.Write("data/Trash/info/b.txt.trashinfo", theirs);
  where.Write("data/Trash/files/b.txt", "another's");
  const ProcessResult again = dropped.Dedup("u1", action);
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(TestFolder::Read(dropped.InTrash("b-2.txt")) == "a caption");
  CHECK_FALSE(fs::exists(where / "photos/b.txt"));
  CHECK(dropped.Undo("u1").exit_code == 0);
  CHECK(TestFolder::Read(where / "photos/b.txt") == "a caption");
  CHECK(fs::exists(where / "photos/b.jpg"));
  CHECK(TestFolder::Read(dropped.InTrash("b.txt")) == "another's");
  CHECK(TestFolder::Read(where / "data/Trash/info/b.txt.trashinfo") == theirs);
}

TEST_CASE("a rerun after a kill leaves a new file where a link was") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::create_symlink("a.jpg", where / "photos/z.jpg");
  std::vector<std::string> action = {"--action", "trash"};
  SUBCASE("trashed") {}
  SUBCASE("moved") {
    action = {"--action", "move", "--move-to", where / "mv"};
  }
  REQUIRE(dropped.Dedup("u1", action).exit_code == 0);
  dropped.CutOff("u1");
  where.Write("photos/z.jpg", "the only copy");
  dropped.Dedup("u1", action);
  CHECK(TestFolder::Read(where / "photos/z.jpg") == "the only copy");
  dropped.Undo("u1");
  CHECK(TestFolder::Read(where / "photos/z.jpg") == "the only copy");
}

TEST_CASE("a rerun after a kill does not take another's file in the trash for its own") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/b.jpg");
  REQUIRE(dropped.Dedup("u1").exit_code == 0);
  // As after a kill before the file went, and before another, as alike, was put there from elsewhere.
  dropped.CutOff("u1");
  fs::rename(dropped.InTrash("b.jpg"), where / "photos/b.jpg");
  SUBCASE("a copy with its time") {
    fs::copy_file(where / "photos/b.jpg", dropped.InTrash("b.jpg"));
    fs::last_write_time(dropped.InTrash("b.jpg"), fs::last_write_time(where / "photos/b.jpg"));
  }
  SUBCASE("a hard link") {
    fs::create_hard_link(where / "photos/b.jpg", dropped.InTrash("b.jpg"));
  }
  const std::string theirs = "[Trash Info]\nPath=/elsewhere/b.jpg\nDeletionDate=2001-01-01T00:00:00\n";
  where.Write("data/Trash/info/b.jpg.trashinfo", theirs);
  CHECK(dropped.Dedup("u1").exit_code == 0);
  CHECK_FALSE(fs::exists(where / "photos/b.jpg"));
  CHECK(fs::exists(dropped.InTrash("b.jpg")));
  CHECK(fs::exists(dropped.InTrash("b-2.jpg")));
  CHECK(dropped.Undo("u1").exit_code == 0);
  CHECK(fs::exists(where / "photos/b.jpg"));
  CHECK(fs::exists(dropped.InTrash("b.jpg")));
  CHECK_FALSE(fs::exists(dropped.InTrash("b-2.jpg")));
  CHECK(TestFolder::Read(where / "data/Trash/info/b.jpg.trashinfo") == theirs);
}

TEST_CASE("a note that cannot be read stops nothing, and stays") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/b.jpg");
  fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/c.jpg");
  REQUIRE(dropped.Dedup("u1").exit_code == 0);
  const std::string note = where / "data/Trash/info/b.jpg.trashinfo";
  fs::remove(note);
  SUBCASE("a folder") {
    fs::create_directory(note);
  }
  SUBCASE("a pipe that nobody writes to") {
    REQUIRE(::mkfifo(note.c_str(), 0600) == 0);
  }
  const ProcessResult undone = dropped.Undo("u1");
  INFO(undone.err);
  CHECK(undone.exit_code == 0);
  CHECK(fs::exists(where / "photos/b.jpg"));
  CHECK(fs::exists(where / "photos/c.jpg"));
  CHECK(fs::exists(note));
}

TEST_CASE("what was trashed later from the same path is not taken for what went before") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/b.jpg");
  const std::string bytes = TestFolder::Read(where / "photos/b.jpg");
  REQUIRE(dropped.Dedup("u1").exit_code == 0);
  REQUIRE(TestFolder::Read(dropped.InTrash("b.jpg")) == bytes);
  where.Write("data/Trash/files/b.jpg", "another version");
  std::string date = "2001-01-01T00:00:00";
  SUBCASE("at another time") {}
  SUBCASE("within the same second") {
    const std::string ours = TestFolder::Read(where / "data/Trash/info/b.jpg.trashinfo");
    date = ours.substr(ours.find("Date=") + 5, date.size());
  }
  const std::string note = "[Trash Info]\nPath=" + fs::canonical(where.path()).string() +
                           "/photos/b.jpg\nDeletionDate=" + date + "\n";
  where.Write("data/Trash/info/b.jpg.trashinfo", note);
  CHECK(dropped.Undo("u1").exit_code == 0);
  CHECK(TestFolder::Read(where / "photos/b.jpg") == bytes);
  CHECK(TestFolder::Read(dropped.InTrash("b.jpg")) == "another version");
  CHECK(TestFolder::Read(where / "data/Trash/info/b.jpg.trashinfo") == note);
}

TEST_CASE("undo after a kill brings back what went and was touched there, or names it") {
  const Dropped dropped;
  const TestFolder& where = dropped.where;
  fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/b.jpg");
  SUBCASE("from the trash") {
    REQUIRE(dropped.Dedup("u1").exit_code == 0);
    dropped.CutOff("u1");
    where.Write("data/Trash/files/b.jpg", "edited");
    CHECK(dropped.Undo("u1").exit_code == 0);
    CHECK(TestFolder::Read(where / "photos/b.jpg") == "edited");
    CHECK_FALSE(fs::exists(where / "data"));
  }
  SUBCASE("from the trash, where something else is in its place") {
    REQUIRE(dropped.Dedup("u1").exit_code == 0);
    dropped.CutOff("u1");
    where.Write("data/Trash/files/b.jpg", "edited");
    where.Write("photos/b.jpg", "new");
    const ProcessResult undone = dropped.Undo("u1");
    CHECK(undone.exit_code == 1);
    CHECK(undone.err.find("something else is there now; the file stays at") != std::string::npos);
    CHECK(TestFolder::Read(where / "photos/b.jpg") == "new");
    CHECK(TestFolder::Read(dropped.InTrash("b.jpg")) == "edited");
  }
  SUBCASE("from a folder it is named") {
    REQUIRE(dropped.Dedup("u1", {"--action", "move", "--move-to", where / "mv"}).exit_code == 0);
    dropped.CutOff("u1");
    where.Write("mv/b.jpg", "edited");
    const ProcessResult undone = dropped.Undo("u1");
    CHECK(undone.exit_code == 1);
    CHECK(undone.err.find("where it was about to be moved, is not as it was") != std::string::npos);
    CHECK(TestFolder::Read(where / "mv/b.jpg") == "edited");
  }
}

}  // namespace imgmill::process_test
