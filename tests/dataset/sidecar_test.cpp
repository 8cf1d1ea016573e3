// Side-cars are found by two names, and go with their image through the journal: with its number, only if it
// goes, and back with it. The folder's files before are the oracle.
#include <map>
#include <set>

#include "dataset/test_folder.h"
#include "dataset/undo_quietly.h"
#include "imgmill/dataset/journal.h"
#include "imgmill/dataset/sidecars.h"

namespace imgmill {
namespace {

using Kind = FileAction::Kind;
using Files = std::map<std::string, std::string>;

const StopFlag kNoStop;

Files Take(const std::string& folder) {
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[entry.path().string().substr(folder.size() + 1)] = TestFolder::Read(entry.path().string());
  }
  return files;
}

FileAction Act(Kind kind, std::string path, std::string target, bool sidecar = false) {
  FileAction action;
  action.kind = kind;
  action.path = std::move(path);
  action.target = std::move(target);
  action.sidecar = sidecar;
  return action;
}

struct Acted {
  ActionCounts counts;
  std::vector<std::string> failed;
};

Acted Execute(const TestFolder& folder, const std::string& undo, const std::vector<FileAction>& plan) {
  auto journal = ActionJournal::Create(folder / undo, "test");
  REQUIRE(journal);
  for (const FileAction& action : plan) REQUIRE((*journal)->Plan(action));
  Acted acted;
  const auto counts = (*journal)->Execute(kNoStop, [&](const FileAction& action, const Status& status) {
    if (!status) acted.failed.push_back(action.path + ": " + status.error().message);
  });
  REQUIRE(counts);
  acted.counts = *counts;
  return acted;
}

std::vector<std::string> NamesOf(const SidecarFinder& finder, const TestFolder& folder,
                                 const std::string& image) {
  std::vector<std::string> names;
  for (const Sidecar& sidecar : finder.Of(folder / image))
    names.push_back(sidecar.path.substr((folder / "").size()));
  return names;
}

}  // namespace

TEST_CASE("side-cars have the image's name with or without its extension, and nothing else has") {
  const TestFolder folder;
  for (const char* name : {"a.jpg", "a.txt", "a.jpg.txt", "a.jpg.xmp", "a.TXT", "ab.txt", "b.png",
                           "b_mask.npz", "bare", "bare.txt", "c.jpg"})
    folder.Write(name, name);
  std::filesystem::create_directory(folder / "c.txt");
  const SidecarFinder finder({"*.txt", "*_mask.npz", "*.txt", "*.xmp"});
  CHECK(NamesOf(finder, folder, "a.jpg") == std::vector<std::string>{"a.txt", "a.jpg.txt", "a.jpg.xmp"});
  CHECK(NamesOf(finder, folder, "b.png") == std::vector<std::string>{"b_mask.npz"});
  CHECK(NamesOf(finder, folder, "bare") == std::vector<std::string>{"bare.txt"});
  CHECK(NamesOf(finder, folder, "c.jpg").empty());
}

TEST_CASE("a side-car is shared where another image has the same name up to its extension") {
  const TestFolder folder;
  for (const char* name :
       {"a.jpg", "a.png", "a.jpg.webp", "b.jpg", "b.mp4", "b.md", "a.txt", "a.jpg.txt", "b.txt"})
    folder.Write(name, "");
  SidecarFinder finder({"*.txt"});
  const std::vector<Sidecar> of_a = finder.Of(folder / "a.jpg");
  REQUIRE(of_a.size() == 2);
  CHECK(finder.Shares(folder / "a.jpg", of_a[0]));  // with a.png
  CHECK(finder.Shares(folder / "a.jpg", of_a[1]));  // with a.jpg.webp
  const std::vector<Sidecar> of_webp = finder.Of(folder / "a.jpg.webp");
  REQUIRE(of_webp.size() == 1);
  CHECK(finder.Shares(folder / "a.jpg.webp", of_webp[0]));  // with a.jpg
  const std::vector<Sidecar> of_b = finder.Of(folder / "b.jpg");
  REQUIRE(of_b.size() == 1);
  CHECK_FALSE(finder.Shares(folder / "b.jpg", of_b[0]));
}

TEST_CASE("patterns that mean nothing are refused") {
  CHECK_FALSE(SidecarFinder::Check({"*.txt", "*_mask.npz", "*.tar.gz"}));
  for (const char* wrong : {"", "*", "*.", ".txt", "txt", "*txt", "a*.txt", "**.txt", "*.[ab]", "*/a.txt",
                            "*.t?t", "*.jpg", "*_mask.PNG", "*.mp4"}) {
    CAPTURE(wrong);
    CHECK(SidecarFinder::Check({wrong}).has_value());
  }
}

TEST_CASE("an image and its side-cars get one number, so that each finds its own") {
  for (const Kind kind : {Kind::kMove, Kind::kCopy, Kind::kNewHardlink, Kind::kNewSymlink}) {
    CAPTURE(static_cast<int>(kind));
    const TestFolder folder;
    for (const char* name : {"in/a.jpg", "in/a.txt", "in/a.jpg.xmp"}) folder.Write(name, name);
    folder.Write("out/a.jpg", "somebody's");
    folder.Write("out/a-2.jpg.xmp", "somebody's, too");
    const Files before = Take(folder.path());
    const std::vector<FileAction> plan = {Act(kind, folder / "in/a.jpg", folder / "out/a.jpg"),
                                          Act(kind, folder / "in/a.txt", folder / "out/a.txt", true),
                                          Act(kind, folder / "in/a.jpg.xmp", folder / "out/a.jpg.xmp", true)};
    const Acted acted = Execute(folder, "undo", plan);
    CHECK(acted.failed.empty());
    CHECK(acted.counts.done == 1);
    CHECK(acted.counts.sidecars == 2);
    for (const char* ending : {".jpg", ".txt", ".jpg.xmp"})
      CHECK(TestFolder::Read(folder / ("out/a-3" + std::string(ending))) == "in/a" + std::string(ending));
    const UndoSummary undone = UndoQuietly(folder / "undo");
    CHECK(undone.restored == 1);  // one image, as one was done
    CHECK(undone.sidecars == 2);
    std::filesystem::remove(folder / "undo");
    CHECK(Take(folder.path()) == before);
  }
}

TEST_CASE("side-cars stay where their image does, and a name that another file has is left to it") {
  const TestFolder folder;
  for (const char* name : {"in/a.jpg", "in/a.txt", "in/b.jpg", "in/b.txt"}) folder.Write(name, name);
  FileAction changed = Act(Kind::kMove, folder / "in/a.jpg", folder / "out/a.jpg");
  changed.seen.emplace();  // a file of no bytes from 1970
  const Acted moved =
      Execute(folder, "undo1", {changed, Act(Kind::kMove, folder / "in/a.txt", folder / "out/a.txt", true)});
  CHECK(moved.failed.size() == 1);
  CHECK(moved.counts.sidecars == 0);
  CHECK(std::filesystem::exists(folder / "in/a.txt"));

  const std::vector<FileAction> plan = {Act(Kind::kCopy, folder / "in/b.jpg", folder / "out/b.jpg"),
                                        Act(Kind::kCopy, folder / "in/b.txt", folder / "out/b.txt", true)};
  CHECK(Execute(folder, "undo2", plan).counts.sidecars == 1);
  const Acted again = Execute(folder, "undo3", plan);
  CHECK(again.failed.empty());
  CHECK(again.counts.already == 1);
  folder.Write("in/b.txt", "another caption");
  const Acted edited = Execute(folder, "undo4", plan);
  REQUIRE(edited.failed.size() == 1);
  CHECK(edited.failed[0].find("out/b.txt is there already") != std::string::npos);
  CHECK(TestFolder::Read(folder / "out/b.txt") == "in/b.txt");
}

TEST_CASE(
    "a side-car that two images share is copied once where both are, and a journal cannot begin with one") {
  const TestFolder folder;
  for (const char* name : {"in/a.jpg", "in/a.png", "in/a.txt"}) folder.Write(name, name);
  std::vector<FileAction> plan;
  for (const char* name : {"a.jpg", "a.png"}) {
    plan.push_back(
        Act(Kind::kCopy, folder / ("in/" + std::string(name)), folder / ("out/" + std::string(name))));
    plan.push_back(Act(Kind::kCopy, folder / "in/a.txt", folder / "out/a.txt", true));
  }
  const Acted acted = Execute(folder, "undo", plan);
  CHECK(acted.counts.done == 2);
  CHECK(acted.counts.sidecars == 1);
  CHECK(Take(folder / "out").size() == 3);
  const UndoSummary undone = UndoQuietly(folder / "undo");
  CHECK(undone.restored == 2);
  CHECK(undone.sidecars == 1);
  CHECK_FALSE(TestFolder::Exists(folder / "out"));  // the action had made it

  // Moved, with the side-car beside the new place already, as a killed run may leave it: it stays.
  folder.Write("out/a.txt", "in/a.txt");
  const Acted moved = Execute(folder, "undo2",
                              {Act(Kind::kMove, folder / "in/a.jpg", folder / "out/a.jpg"),
                               Act(Kind::kMove, folder / "in/a.txt", folder / "out/a.txt", true)});
  CHECK(moved.counts.done == 1);
  CHECK(moved.counts.sidecars == 0);
  CHECK(moved.failed.empty());
  CHECK(Take(folder.path() + "/out") == Files{{"a.jpg", "in/a.jpg"}, {"a.txt", "in/a.txt"}});
  CHECK(std::filesystem::exists(folder / "in/a.txt"));

  auto journal = ActionJournal::Create(folder / "other", "test");
  REQUIRE(journal);
  CHECK_FALSE((*journal)->Plan(plan[1]));
}

TEST_CASE("a file that several patterns name is one side-car") {
  const TestFolder folder;
  for (const char* name : {"a.jpg", "a.jpg.txt", "a.txt"}) folder.Write(name);
  for (const std::vector<std::string>& patterns :
       {std::vector<std::string>{"*.txt", "*.jpg.txt"}, {"*.jpg.txt", "*.txt"}}) {
    const SidecarFinder finder(patterns);
    std::set<std::string> paths;
    for (const Sidecar& each : finder.Of(folder / "a.jpg")) CHECK(paths.insert(each.path).second);
    CHECK(paths == std::set{folder / "a.jpg.txt", folder / "a.txt"});
    CHECK(finder.Unmatched().empty());
  }
}

}  // namespace imgmill
