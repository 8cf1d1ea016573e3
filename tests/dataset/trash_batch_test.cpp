// A batch of files goes to the trash with its notes written first, all together: none is left of a file that
// does not go, whatever stops it. The folders show it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "dataset/test_folder.h"
#include "dataset/trash.h"
#include "dataset/undo_quietly.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {
namespace fs = std::filesystem;
namespace {

/// Five images, each with a caption, and a home trash beside them.
class Batch {
 public:
  Batch() {
    ::setenv("XDG_DATA_HOME", (folder / "data").c_str(), 1);
    folder.Write("keep.jpg", "near");
    for (const char name : {'a', 'b', 'c', 'd', 'e'}) {
      folder.Write(Photo(name), std::string("image ") + name);
      folder.Write(Caption(name), std::string("caption ") + name);
    }
    for (const auto& entry : fs::directory_iterator(folder / "photos"))
      before[entry.path().string()] = TestFolder::Read(entry.path().string());
  }
  ~Batch() { ::unsetenv("XDG_DATA_HOME"); }

  static std::string Photo(char name) { return std::string("photos/") + name + ".jpg"; }
  static std::string Caption(char name) { return std::string("photos/") + name + ".txt"; }

  /// @param told  what happens once the first image has gone
  ActionCounts Execute(const StopFlag& stop, const std::function<void()>& told) {
    const auto journal = ActionJournal::Create(folder / "undo.tsv", "imgmill test");
    REQUIRE(journal);
    for (const char name : {'a', 'b', 'c', 'd', 'e'}) {
      for (const std::string& path : {Photo(name), Caption(name)}) {
        FileAction action;
        action.kind = FileAction::Kind::kTrash;
        action.path = folder / path;
        action.target = *TrashTargetOf(action.path);
        action.sidecar = path == Caption(name);
        if (!action.sidecar) action.keeper = keeper;
        REQUIRE((*journal)->Plan(action));
      }
    }
    bool first = true;
    const auto report = [&](const FileAction& action, const Status&) {
      if (std::exchange(first, false)) told();
      targets[action.path] = action.target;
    };
    const auto counts = (*journal)->Execute(stop, report);
    REQUIRE(counts);
    return *counts;
  }
  std::set<std::string> Names(const std::string& within) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder / ("data/Trash/" + within)))
      names.insert(entry.path().filename().string().substr(0, 5));
    return names;
  }
  void CheckUndone() const {
    CHECK(UndoQuietly(folder / "undo.tsv").failed == 0);
    for (const auto& [path, content] : before) {
      CAPTURE(path);
      CHECK(TestFolder::Read(path) == content);
    }
    CHECK_FALSE(TestFolder::Exists(folder / "data"));
  }

  TestFolder folder;
  std::string keeper;
  std::map<std::string, std::string> before;
  std::map<std::string, std::string> targets;
};

const StopFlag kNoStop;

}  // namespace

TEST_CASE("all notes of a batch are there before its second file goes") {
  Batch batch;
  std::set<std::string> notes, files;
  const ActionCounts counts = batch.Execute(kNoStop, [&] {
    notes = batch.Names("info");
    files = batch.Names("files");
  });
  CHECK(counts.done == 5);
  CHECK(counts.sidecars == 5);
  CHECK(files == std::set<std::string>{"a.jpg"});
  CHECK(notes.size() == 10);
  CHECK(batch.Names("files") == notes);
  batch.CheckUndone();
}

TEST_CASE("a stop in a batch leaves no note of what stays") {
  Batch batch;
  StopFlag stop;
  const ActionCounts counts = batch.Execute(stop, [&] { stop.RequestStop(); });
  CHECK(counts.interrupted);
  CHECK(batch.Names("files") == std::set<std::string>{"a.jpg", "a.txt"});
  CHECK(batch.Names("info") == batch.Names("files"));
  batch.CheckUndone();
}

TEST_CASE("what is refused after its note was written leaves none, nor do its side-cars") {
  Batch batch;
  batch.keeper = batch.folder / "keep.jpg";
  const ActionCounts counts = batch.Execute(kNoStop, [&] { fs::remove(batch.keeper); });
  CHECK(counts.done == 1);
  CHECK(counts.failed == 4);
  CHECK(batch.Names("files") == std::set<std::string>{"a.jpg", "a.txt"});
  CHECK(batch.Names("info") == batch.Names("files"));
  batch.CheckUndone();
}

TEST_CASE("names that others take between note and file: ours get another, and theirs no note") {
  Batch batch;
  const std::string files = batch.folder / "data/Trash/files/";
  const ActionCounts counts = batch.Execute(kNoStop, [&] {
    batch.folder.Write("data/Trash/files/b.jpg", "another's");
    batch.folder.Write("data/Trash/files/c.txt", "another's");
  });
  CHECK(counts.done == 5);
  CHECK(counts.sidecars == 5);
  CHECK(batch.targets.at(batch.folder / Batch::Photo('b')) == files + "b-2.jpg");
  CHECK(batch.targets.at(batch.folder / Batch::Caption('b')) == files + "b.txt");
  CHECK(batch.targets.at(batch.folder / Batch::Caption('c')) == files + "c-2.txt");
  CHECK(TestFolder::Read(files + "b.jpg") == "another's");
  for (const auto& [path, target] : batch.targets) CHECK(TestFolder::Exists(TrashInfoOf(target)));
  CHECK_FALSE(TestFolder::Exists(TrashInfoOf(files + "b.jpg")));
  CHECK_FALSE(TestFolder::Exists(TrashInfoOf(files + "c.txt")));
  CHECK(UndoQuietly(batch.folder / "undo.tsv").failed == 0);
  CHECK(TestFolder::Read(files + "b.jpg") == "another's");
  CHECK(TestFolder::Read(files + "c.txt") == "another's");
  for (const auto& [path, content] : batch.before) CHECK(TestFolder::Read(path) == content);
}

TEST_CASE("a trash that is emptied between notes and files, and filled by others") {
  Batch batch;
  const TestFolder& folder = batch.folder;
  const std::string theirs = "[Trash Info]\nPath=/elsewhere/x.jpg\nDeletionDate=2001-01-01T00:00:00\n";
  const std::string info = "data/Trash/info/", files = folder / "data/Trash/files/";
  const ActionCounts counts = batch.Execute(kNoStop, [&] {
    for (const char* name : {"b.jpg", "b.txt", "c.jpg", "c.txt", "d.jpg", "d.txt"})
      fs::remove(TrashInfoOf(files + name));
    // One has come, another is about to come: its note is there.
    folder.Write(info + "c.jpg.trashinfo", theirs);
    folder.Write("data/Trash/files/c.jpg", "another's");
    folder.Write(info + "d.jpg.trashinfo", theirs);
  });
  CHECK(counts.done == 5);
  CHECK(counts.sidecars == 5);
  for (const auto& [path, target] : batch.targets) {
    CAPTURE(path);
    CHECK(TestFolder::Read(target) == batch.before.at(path));
    CHECK(TestFolder::Read(TrashInfoOf(target)).find("Path=" + path + "\n") != std::string::npos);
  }
  CHECK(TestFolder::Read(files + "c.jpg") == "another's");
  CHECK(TestFolder::Read(TrashInfoOf(files + "c.jpg")) == theirs);
  CHECK_FALSE(TestFolder::Exists(files + "d.jpg"));
  CHECK(TestFolder::Read(TrashInfoOf(files + "d.jpg")) == theirs);
  CHECK(UndoQuietly(folder / "undo.tsv").failed == 0);
  for (const auto& [path, content] : batch.before) CHECK(TestFolder::Read(path) == content);
  CHECK(TestFolder::Read(files + "c.jpg") == "another's");
  CHECK(batch.Names("info") == std::set<std::string>{"c.jpg", "d.jpg"});
}

}  // namespace imgmill
