// Copies and new links through the journal: done, repeated, taken back, and never at the price of a file.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <map>

#include "dataset/test_folder.h"
#include "dataset/undo_quietly.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {
namespace {

using Kind = FileAction::Kind;

const StopFlag kNoStop;

/// Relative path -> bytes, or where a link leads.
std::map<std::string, std::string> Take(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_directory() && !entry.is_symlink()) continue;
    files[entry.path().string().substr(folder.size())] =
        entry.is_symlink() ? "-> " + std::filesystem::read_symlink(entry.path()).string()
                           : TestFolder::Read(entry.path().string());
  }
  return files;
}

struct Acted {
  ActionCounts counts;
  std::vector<std::string> targets;
  std::vector<Error> errors;
};

Acted Act(const TestFolder& folder, const std::string& undo, Kind kind,
          const std::vector<std::pair<std::string, std::string>>& plan) {
  auto journal = ActionJournal::Create(folder / undo, "imgmill filter in");
  REQUIRE(journal);
  for (const auto& [path, target] : plan) {
    FileAction action;
    action.kind = kind;
    action.path = folder / path;
    action.target = folder / target;
    REQUIRE((*journal)->Plan(action));
  }
  Acted acted;
  const auto counts = (*journal)->Execute(kNoStop, [&](const FileAction& action, const Status& status) {
    if (status) {
      acted.targets.push_back(action.target);
    } else {
      acted.errors.push_back(status.error());
    }
  });
  REQUIRE(counts);
  acted.counts = *counts;
  return acted;
}

constexpr Kind kAdding[] = {Kind::kCopy, Kind::kNewHardlink, Kind::kNewSymlink};

}  // namespace

TEST_CASE("files are added, the originals stay, a second time adds nothing, and undo removes them") {
  for (const Kind kind : kAdding) {
    const TestFolder folder;
    const std::string odd = "in/odd\n\xFF.jpg";
    const timespec times[2] = {{1'500'000'000, 0}, {1'500'000'000, 123'456'789}};
    REQUIRE(::utimensat(AT_FDCWD, folder.Write("in/a.jpg", "a's bytes").c_str(), times, 0) == 0);
    folder.Write(odd, "odd bytes");
    const auto before = Take(folder / "in");
    const std::vector<std::pair<std::string, std::string>> plan = {{"in/a.jpg", "out/deep/a.jpg"},
                                                                   {odd, "out/odd.jpg"}};
    CHECK(Act(folder, "undo1", kind, plan).counts.done == 2);
    CHECK(Take(folder / "in") == before);
    CHECK(TestFolder::Read(folder / "out/deep/a.jpg") == "a's bytes");
    CHECK(TestFolder::Read(folder / "out/odd.jpg") == "odd bytes");
    struct stat original {
    }, added{};
    REQUIRE(::stat((folder / "in/a.jpg").c_str(), &original) == 0);
    REQUIRE(::lstat((folder / "out/deep/a.jpg").c_str(), &added) == 0);
    CHECK((original.st_ino == added.st_ino) == (kind == Kind::kNewHardlink));
    CHECK(S_ISLNK(added.st_mode) == (kind == Kind::kNewSymlink));
    if (kind == Kind::kCopy) CHECK(added.st_mtim.tv_nsec == 123'456'789);

    const auto after = Take(folder / "out");
    const Acted again = Act(folder, "undo2", kind, plan);
    CHECK(again.counts.already == 2);
    CHECK(again.counts.done == 0);
    CHECK(Take(folder / "out") == after);
    CHECK(UndoQuietly(folder / "undo2").untouched ==
          2);  // the first run's files are not the second's to remove
    CHECK(Take(folder / "out") == after);
    CHECK(UndoQuietly(folder / "undo1").restored == 2);
    CHECK_FALSE(TestFolder::Exists(folder / "out"));  // the action had made it
    CHECK(UndoQuietly(folder / "undo1").untouched == 2);
    CHECK(Take(folder / "in") == before);
  }
}

TEST_CASE("a name that another file has is left alone: the next number is taken") {
  for (const Kind kind : kAdding) {
    const TestFolder folder;
    folder.Write("in/a.jpg", "a's bytes");
    folder.Write("out/a.jpg", "not a's");
    const Acted acted = Act(folder, "undo1", kind, {{"in/a.jpg", "out/a.jpg"}});
    REQUIRE(acted.targets.size() == 1);
    CHECK(acted.targets[0].ends_with("/out/a-2.jpg"));
    CHECK(Act(folder, "undo2", kind, {{"in/a.jpg", "out/a.jpg"}}).counts.already == 1);
    CHECK(TestFolder::Read(folder / "out/a.jpg") == "not a's");
    CHECK(UndoQuietly(folder / "undo1").restored == 1);
    CHECK(Take(folder / "out").size() == 1);
  }
}

TEST_CASE(
    "where a number makes a name too long for a file system, it is shortened, and told apart by a digest") {
  const std::string begin(245, 'n');
  for (const Kind kind : {Kind::kMove, Kind::kCopy}) {
    const TestFolder folder;
    // Alike but for what is cut off.
    std::vector<std::pair<std::string, std::string>> plan;
    for (const std::string& name : {begin + "1.jpeg", begin + "2.jpeg"}) {
      folder.Write("in/" + name, name);
      folder.Write("out/" + name, "not ours");
      plan.emplace_back("in/" + name, "out/" + name);
    }
    const Acted acted = Act(folder, "undo1", kind, plan);
    REQUIRE(acted.targets.size() == 2);
    for (const std::string& target : acted.targets) {
      const std::string name = target.substr(target.rfind('/') + 1);
      CHECK(name.size() <= 255);
      CHECK(name.ends_with("-2.jpeg"));
      CHECK(TestFolder::Read(target).starts_with(begin));
    }
    CHECK(acted.targets[0] != acted.targets[1]);
    CHECK(UndoQuietly(folder / "undo1").restored == 2);
  }
}

TEST_CASE("undo removes no copy that was edited, and none whose original is gone") {
  const TestFolder folder;
  for (const char* name : {"in/edited.jpg", "in/gone.jpg", "in/changed.jpg"}) folder.Write(name, "bytes");
  Act(folder, "undo", Kind::kCopy,
      {{"in/edited.jpg", "out/edited.jpg"},
       {"in/gone.jpg", "out/gone.jpg"},
       {"in/changed.jpg", "out/changed.jpg"}});
  folder.Write("out/edited.jpg", "other bytes");
  folder.Write("in/changed.jpg", "original, changed");
  std::filesystem::remove(folder / "in/gone.jpg");
  CHECK(UndoQuietly(folder / "undo").failed == 3);
  CHECK(TestFolder::Read(folder / "out/edited.jpg") == "other bytes");
  CHECK(TestFolder::Read(folder / "out/gone.jpg") == "bytes");
  CHECK(TestFolder::Read(folder / "out/changed.jpg") == "bytes");
}

TEST_CASE("a file that has changed since it was judged is not added") {
  const TestFolder folder;
  folder.Write("in/a.jpg", "bytes");
  auto journal = ActionJournal::Create(folder / "undo", "imgmill filter in");
  REQUIRE(journal);
  FileAction action;
  action.kind = Kind::kCopy;
  action.path = folder / "in/a.jpg";
  action.target = folder / "out/a.jpg";
  action.seen = FileStamp{4, 1};
  REQUIRE((*journal)->Plan(action));
  Code code = Code::kInternal;
  const auto counts = (*journal)->Execute(kNoStop, [&](const FileAction&, const Status& status) {
    if (!status) code = status.error().code;
  });
  REQUIRE(counts);
  CHECK(counts->failed == 1);
  CHECK(code == Code::kConflict);
  CHECK_FALSE(std::filesystem::exists(folder / "out/a.jpg"));
}

}  // namespace imgmill
