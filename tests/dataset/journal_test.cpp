// Actions on real files and their undoing, with kills at random points; the folder's snapshot before is the
// oracle.
#include "imgmill/dataset/journal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "dataset/test_folder.h"

using namespace imgmill;
using Kind = FileAction::Kind;

namespace {

/// Relative path -> all that must come back: kind, bytes or link text, mode, mtime, and that the file is its
/// own.
using Snapshot = std::map<std::string, std::string>;

Snapshot Take(const std::string& folder) {
  Snapshot snapshot;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().string();
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    if (S_ISDIR(info.st_mode)) continue;
    std::string& value = snapshot[path.substr(folder.size())];
    if (S_ISLNK(info.st_mode)) {
      value = "link " + std::filesystem::read_symlink(path).string();
    } else {
      value = TestFolder::Read(path) + " mode " + std::to_string(info.st_mode) + " mtime " +
              std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + " links " +
              std::to_string(info.st_nlink);
    }
  }
  return snapshot;
}

void Age(const std::string& path, time_t seconds, long nanoseconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, nanoseconds}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

struct Told {
  std::vector<std::pair<FileAction, Status>> all;
  ActionJournal::Report report() {
    return [this](const FileAction& action, const Status& status) { all.emplace_back(action, status); };
  }
};

const StopFlag kNoStop;
const ActionJournal::Report kQuiet = [](const FileAction&, const Status&) {};

FileAction Act(Kind kind, std::string path, std::string keeper, std::string target = "") {
  FileAction action;
  action.kind = kind;
  action.path = std::move(path);
  action.keeper = std::move(keeper);
  action.target = std::move(target);
  return action;
}

/// Plans and executes; the only action's status.
Status One(const TestFolder& folder, const FileAction& action) {
  static int number = 0;
  auto journal = ActionJournal::Create(folder / ("undo" + std::to_string(++number)), "test");
  REQUIRE(journal);
  REQUIRE((*journal)->Plan(action));
  Told told;
  const auto counts = (*journal)->Execute(kNoStop, told.report());
  REQUIRE(counts);
  REQUIRE(told.all.size() + counts->already == 1);
  return told.all.empty() ? Status{} : told.all[0].second;
}

std::string InMemoryPlace() {
  return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path().string();
}

}  // namespace

TEST_CASE("each kind of action is done and undone, with bytes, mode and time") {
  const TestFolder folder;
  for (const char* name : {"keep.jpg", "move\n\xFF.jpg", "hard.jpg", "sub/soft.jpg", "delete.jpg"})
    Age(folder.Write(std::string("in/") + name, "same bytes"), 1'600'000'000, 123'456'789);
  Age(folder.Write("in/near.jpg", "other bytes"), 1, 1);
  REQUIRE(::chmod((folder / "in/hard.jpg").c_str(), 0640) == 0);
  std::filesystem::create_symlink("keep.jpg", folder / "in/link.jpg");
  const Snapshot before = Take(folder / "in");
  const std::string keeper = folder / "in/keep.jpg";
  {
    auto journal = ActionJournal::Create(folder / "undo.txt", "imgmill dedup in");
    REQUIRE(journal);
    REQUIRE((*journal)->Plan(
        Act(Kind::kMove, folder / "in/move\n\xFF.jpg", keeper, folder / "in/out/deep/moved.jpg")));
    REQUIRE((*journal)->Plan(Act(Kind::kMove, folder / "in/link.jpg", "", folder / "in/out/link.jpg")));
    REQUIRE((*journal)->Plan(Act(Kind::kHardlink, folder / "in/hard.jpg", keeper)));
    REQUIRE((*journal)->Plan(Act(Kind::kSymlink, folder / "in/sub/soft.jpg", keeper)));
    REQUIRE((*journal)->Plan(Act(Kind::kDelete, folder / "in/delete.jpg", keeper)));
    CHECK(Take(folder / "in") == before);  // planning touches nothing
    Told told;
    const auto counts = (*journal)->Execute(kNoStop, told.report());
    REQUIRE(counts);
    CHECK(counts->done == 5);
    for (const auto& [action, status] : told.all)
      CHECK_MESSAGE(status.ok(), (status ? "" : status.error().message));
    CHECK(ActionJournal::Open(folder / "undo.txt").error().code == Code::kLocked);
    CHECK((*journal)->Execute(kNoStop, kQuiet)->already == 5);
  }
  CHECK(!TestFolder::Exists(folder / "in/move\n\xFF.jpg"));
  CHECK(TestFolder::Read(folder / "in/out/deep/moved.jpg") == "same bytes");
  CHECK(TestFolder::Read(folder / "in/out/link.jpg") ==
        "same bytes");  // a relative link, moved, still leads there
  CHECK(std::filesystem::hard_link_count(folder / "in/hard.jpg") == 2);
  CHECK(std::filesystem::read_symlink(folder / "in/sub/soft.jpg") == "../keep.jpg");
  CHECK(!TestFolder::Exists(folder / "in/delete.jpg"));

  auto undone = UndoActions(folder / "undo.txt", kNoStop, kQuiet);
  REQUIRE(undone);
  CHECK(undone->restored == 5);
  CHECK(Take(folder / "in") == before);
  undone = UndoActions(folder / "undo.txt", kNoStop, kQuiet);
  REQUIRE(undone);
  CHECK(undone->untouched == 5);
  CHECK(Take(folder / "in") == before);
}

TEST_CASE("what would lose something is refused") {
  const TestFolder folder;
  const std::string keep = folder.Write("keep", "bytes");
  const std::string near = folder.Write("near", "other");
  std::filesystem::create_symlink("keep", folder / "alias");
  const Snapshot before = Take(folder.path());
  CHECK(One(folder, Act(Kind::kHardlink, near, keep)).error().code == Code::kConflict);
  CHECK(One(folder, Act(Kind::kSymlink, near, keep)).error().code == Code::kConflict);
  CHECK(One(folder, Act(Kind::kDelete, near, folder / "gone")).error().code == Code::kNotFound);
  CHECK(One(folder, Act(Kind::kDelete, keep, keep)).error().code == Code::kConflict);
  CHECK(One(folder, Act(Kind::kDelete, keep, folder / "alias")).error().code == Code::kConflict);
  CHECK(One(folder, Act(Kind::kMove, keep, folder / "alias", folder / "x")).error().code == Code::kConflict);
  CHECK(One(folder, Act(Kind::kDelete, folder / "gone", keep)).error().code == Code::kNotFound);
  CHECK(One(folder, Act(Kind::kDelete, folder.path(), keep)).error().code == Code::kUnsupported);
  FileAction stale = Act(Kind::kDelete, near, keep);
  stale.seen = FileStamp{5, 12345};
  CHECK(One(folder, stale).error().code == Code::kConflict);
  for (const auto& [name, value] : before) CHECK(Take(folder.path()).at(name) == value);

  // Two files that are each other's keeper, in one batch: one must survive.
  auto journal = ActionJournal::Create(folder / "mutual", "test");
  REQUIRE(journal);
  REQUIRE((*journal)->Plan(Act(Kind::kDelete, keep, near)));
  REQUIRE((*journal)->Plan(Act(Kind::kDelete, near, keep)));
  const auto counts = (*journal)->Execute(kNoStop, kQuiet);
  REQUIRE(counts);
  CHECK(counts->done == 1);
  CHECK(counts->failed == 1);
  CHECK(TestFolder::Exists(near));
}

TEST_CASE("a keeper that another mount shows as a second file is not taken away") {
  struct Mounted {
    const std::string at;
    ~Mounted() { ::umount2(at.c_str(), MNT_DETACH); }
  };
  const TestFolder folder;
  folder.Write("a/sub/one", "bytes");
  folder.Write("a/sub/two", "bytes");
  std::filesystem::create_hard_link(folder / "a/sub/two", folder / "a/linked");
  std::filesystem::create_symlink("sub/one", folder / "a/alias");
  std::filesystem::create_directory(folder / "m");
  if (::mount((folder / "a").c_str(), (folder / "m").c_str(), nullptr, MS_BIND, nullptr) != 0) {
    MESSAGE("SKIPPED: mounting a folder a second time needs root");
    return;
  }
  const Mounted mounted{folder / "m"};
  const Snapshot before = Take(folder / "a");
  for (const Kind kind : {Kind::kDelete, Kind::kMove, Kind::kHardlink, Kind::kSymlink}) {
    CAPTURE(static_cast<int>(kind));
    const std::string target = kind == Kind::kMove ? folder / "out/x" : "";
    for (const auto& [path, keeper] : std::map<std::string, std::string>{{"m/sub/one", "a/sub/one"},
                                                                         {"a/sub/one", "m/alias"},
                                                                         {"m/alias", "a/alias"},
                                                                         {"a/sub/two", "m/sub/two"},
                                                                         {"m/linked", "a/linked"}}) {
      CAPTURE(path);
      const Status status = One(folder, Act(kind, folder / path, folder / keeper, target));
      REQUIRE(!status);
      CHECK(status.error().code == Code::kConflict);
      CHECK(status.error().message.find("through two mounts") != std::string::npos);
    }
  }
  CHECK(Take(folder / "a") == before);
  // In one run: of two names of one file, the one that is kept stays, by whichever mount the others are seen.
  auto journal = ActionJournal::Create(folder / "links", "test");
  REQUIRE(journal);
  for (const char* path : {"a/linked", "m/linked", "m/sub/two"})
    REQUIRE((*journal)->Plan(Act(Kind::kDelete, folder / path, folder / "a/sub/two")));
  const auto counts = (*journal)->Execute(kNoStop, kQuiet);
  REQUIRE(counts);
  CHECK(counts->done == 1);
  CHECK(counts->failed == 2);
  CHECK(TestFolder::Read(folder / "a/sub/two") == "bytes");
  CHECK(!TestFolder::Exists(folder / "a/linked"));
  // A file of the same name and bytes in another folder is another file.
  folder.Write("b/two", "bytes");
  CHECK(One(folder, Act(Kind::kDelete, folder / "b/two", folder / "m/sub/two")).ok());
}

TEST_CASE("an act needs the bytes that were judged, of the file and of its keeper") {
  const TestFolder folder;
  const std::string keep = folder.Write("keep", "bytes");
  const std::string twin = folder.Write("twin", "bytes");
  const std::string near = folder.Write("near", "other");
  const auto judged = [](Kind kind, const std::string& path, const std::string& content,
                         const std::string& keeper, const std::string& keeper_content,
                         const std::string& target = "") {
    FileAction action = Act(kind, path, keeper, target);
    action.content = DigestOfBytes(content.data(), content.size());
    action.keeper_content = DigestOfBytes(keeper_content.data(), keeper_content.size());
    return action;
  };
  const Snapshot before = Take(folder.path());
  const auto conflict = [&](const FileAction& action) {
    CHECK(One(folder, action).error().code == Code::kConflict);
    for (const auto& [name, value] : before) CHECK(Take(folder.path()).at(name) == value);
  };
  for (const Kind kind : {Kind::kDelete, Kind::kMove, Kind::kHardlink, Kind::kSymlink}) {
    const std::string target = kind == Kind::kMove ? folder / "out/x" : "";
    conflict(judged(kind, near, "bytes", keep, "bytes", target));  // judged equal, and it is not
    conflict(judged(kind, near, "OTHER", keep, "bytes", target));  // a near-duplicate of another content
    conflict(judged(kind, near, "other", keep, "BYTES", target));  // a keeper of another content
  }
  CHECK(One(folder, judged(Kind::kDelete, near, "other", keep, "bytes")).ok());
  CHECK(One(folder, judged(Kind::kMove, twin, "bytes", keep, "bytes", folder / "out/x")).ok());
  CHECK(!TestFolder::Exists(near));
  CHECK(TestFolder::Read(folder / "out/x") == "bytes");
}

TEST_CASE("what was judged is in the undo file, for whoever resumes; files of earlier versions lack it") {
  const TestFolder folder;
  const std::string keep = folder.Write("keep", "bytes");
  const std::string twin = folder.Write("twin", "bytes");
  FileAction action = Act(Kind::kDelete, twin, keep);
  action.seen = StampOf(twin).value();
  action.content = DigestOf(twin).value();
  action.keeper_content = DigestOf(keep).value();
  {
    auto journal = ActionJournal::Create(folder / "new", "test");
    REQUIRE(journal);
    REQUIRE((*journal)->Plan(action));
    StopFlag stop;
    stop.RequestStop();
    REQUIRE((*journal)->Execute(stop, kQuiet)->interrupted);
  }
  const FileStamp& seen = *action.seen;
  const std::string plan = "plan\t0\tdelete\t" + twin + "\t\t" + keep + "\t" + std::to_string(seen.size) +
                           "\t" + std::to_string(seen.mtime_ns);
  CHECK(TestFolder::Read(folder / "new")
            .find(plan + "\t" + std::to_string(seen.ctime_ns) + "\t" + std::to_string(seen.inode) + "\t" +
                  action.content->Hex() + "\t" + action.keeper_content->Hex() + "\n") != std::string::npos);
  folder.Write("old", "imgmill-undo\t1\tx\n" + plan + "\nsealed\t1\n");
  std::string name;
  SUBCASE("new") {
    name = "new";
  }
  SUBCASE("old") {
    name = "old";
  }
  auto journal = ActionJournal::Open(folder / name);
  REQUIRE(journal);
  CHECK((*journal)->Execute(kNoStop, kQuiet)->done == 1);
  CHECK(!TestFolder::Exists(twin));
}

TEST_CASE("undo says honestly what is gone, and overwrites nothing") {
  const TestFolder folder;
  const std::string keep = folder.Write("keep", "bytes");
  const std::string near = folder.Write("near", "other");
  const std::string moved = folder.Write("moved", "m");
  const std::string linked = folder.Write("linked", "bytes");
  {
    auto journal = ActionJournal::Create(folder / "undo", "test");
    REQUIRE(journal);
    REQUIRE((*journal)->Plan(Act(Kind::kDelete, near, keep)));
    REQUIRE((*journal)->Plan(Act(Kind::kMove, moved, "", folder / "there")));
    REQUIRE((*journal)->Plan(Act(Kind::kSymlink, linked, keep)));
    REQUIRE((*journal)->Execute(kNoStop, kQuiet)->done == 3);
  }
  folder.Write("moved", "new file of the user");
  folder.Write("keep", "BYTES");  // edited: the link's original bytes are nowhere
  Told told;
  const auto undone = UndoActions(folder / "undo", kNoStop, told.report());
  REQUIRE(undone);
  CHECK(undone->restored == 0);
  CHECK(undone->gone == 1);
  CHECK(undone->failed == 2);
  REQUIRE(told.all.size() == 3);
  for (const auto& [action, status] : told.all) CHECK(!status.ok());
  CHECK(TestFolder::Read(moved) == "new file of the user");
  CHECK(TestFolder::Read(folder / "there") == "m");
  CHECK(std::filesystem::is_symlink(linked));
  // Once the way is free, undo continues.
  std::filesystem::remove(moved);
  folder.Write("keep", "bytes");
  CHECK(UndoActions(folder / "undo", kNoStop, kQuiet)->restored == 2);
  CHECK(TestFolder::Read(moved) == "m");
  CHECK(TestFolder::Read(linked) == "bytes");
  CHECK(!std::filesystem::is_symlink(linked));
}

TEST_CASE("targets that meet are numbered, and each file is kept") {
  const TestFolder folder;
  folder.Write("out/a.jpg", "there before");
  auto journal = ActionJournal::Create(folder / "undo", "test");
  REQUIRE(journal);
  for (int i = 0; i < 100; ++i) {  // more than a batch
    const std::string number = std::to_string(i);
    REQUIRE((*journal)->Plan(
        Act(Kind::kMove, folder.Write("in/" + number + "/a.jpg", number), "", folder / "out/a.jpg")));
  }
  std::set<std::string> contents;
  Told told;
  REQUIRE((*journal)->Execute(kNoStop, told.report())->done == 100);
  for (const auto& [action, status] : told.all) contents.insert(TestFolder::Read(action.target));
  CHECK(contents.size() == 100);
  CHECK(TestFolder::Read(folder / "out/a.jpg") == "there before");
  CHECK(TestFolder::Read(folder / "out/a-2.jpg") == "0");
  CHECK(TestFolder::Read(folder / "out/a-101.jpg") == "99");
}

TEST_CASE("a move to another file system keeps bytes, mode and time, and can be undone") {
  const TestFolder here;
  const TestFolder there(InMemoryPlace());
  struct stat a {};
  struct stat b {};
  REQUIRE(::stat(here.path().c_str(), &a) == 0);
  REQUIRE(::stat(there.path().c_str(), &b) == 0);
  if (a.st_dev == b.st_dev) {
    MESSAGE("SKIPPED: no second file system at /dev/shm");
    return;
  }
  Age(here.Write("a.jpg", std::string(3 << 20, 'a')), 1'500'000'000, 987'654'321);
  REQUIRE(::chmod((here / "a.jpg").c_str(), 0604) == 0);
  std::filesystem::create_symlink("a.jpg", here / "b.jpg");
  const Snapshot before = Take(here.path());
  auto journal = ActionJournal::Create(there / "undo", "test");
  REQUIRE(journal);
  REQUIRE((*journal)->Plan(Act(Kind::kMove, here / "a.jpg", "", there / "out/a.jpg")));
  REQUIRE((*journal)->Plan(Act(Kind::kMove, here / "b.jpg", "", there / "out/b.jpg")));
  REQUIRE((*journal)->Execute(kNoStop, kQuiet)->done == 2);
  CHECK(Take(here.path()).empty());
  CHECK(Take(there / "out").at("/a.jpg") == before.at("/a.jpg"));
  CHECK(One(there, Act(Kind::kHardlink, here.Write("c", "c"), there.Write("c", "c"))).error().code ==
        Code::kUnsupported);
  std::filesystem::remove(here / "c");
  CHECK((*journal)->Undo(kNoStop, kQuiet)->restored == 2);
  CHECK(Take(here.path()) == before);
  CHECK_FALSE(TestFolder::Exists(there / "out"));  // the action had made it
}

TEST_CASE("a move to another file system whose original cannot be removed leaves no copy") {
  const TestFolder here;
  const TestFolder there(InMemoryPlace());
  const std::string source = here.Write("a.jpg", "bytes");
  // Immutable: the one thing that keeps root from removing it.
  if (std::system(("chattr +i '" + source + "' 2>/dev/null").c_str()) != 0) {
    MESSAGE("SKIPPED: files cannot be made immutable here");
    return;
  }
  struct MutableAgain {
    const std::string& path;
    ~MutableAgain() {
      if (std::system(("chattr -i '" + path + "'").c_str()) != 0) MESSAGE("cannot remove " << path);
    }
  };
  Status moved;
  {
    const MutableAgain guard{source};
    moved = One(there, Act(Kind::kMove, source, "", there / "out/a.jpg"));
  }
  REQUIRE(!moved);
  CHECK(TestFolder::Read(source) == "bytes");
  CHECK_FALSE(TestFolder::Exists(there / "out/a.jpg"));
}

TEST_CASE(
    "a move that was killed between copy and removal is completed by the next run, in the same undo file") {
  const TestFolder here;
  const TestFolder there(
      InMemoryPlace());  // of another file system where there is one: the states are the same
  const std::string undo = here / "undo";
  const std::string source = here.Write("in/b.jpg", "bytes");
  const std::string waiting = here.Write("in/c.jpg", "others");
  Age(source, 1'000'000, 7);
  const Snapshot before = Take(here / "in");
  {
    // What a run leaves that is killed there: plan, start line, and both files.
    auto journal = ActionJournal::Create(undo, "imgmill test");
    REQUIRE(journal);
    REQUIRE((*journal)->Plan(Act(Kind::kMove, source, "", there / "b.jpg")));
    REQUIRE((*journal)->Plan(Act(Kind::kMove, waiting, "", there / "c.jpg")));
    StopFlag stop;
    stop.RequestStop();
    REQUIRE((*journal)->Execute(stop, kQuiet)->interrupted);
    std::ofstream(undo, std::ios::app)
        << "start\t0\t" << (there / "b.jpg") << "\t5\t1000000000000007\t33188\t\t\n";
    Age(there.Write("b.jpg", "bytes"), 1'000'000, 7);
  }
  SUBCASE("nothing else happened") {
    auto journal = ActionJournal::Resume(undo);
    REQUIRE(journal);
    REQUIRE(*journal != nullptr);
    CHECK((*journal)->completed() == 1);
    CHECK((*journal)->command() == "imgmill test");
    CHECK(!TestFolder::Exists(source));
    CHECK(TestFolder::Exists(waiting));  // the plan is made anew
    REQUIRE((*journal)->Plan(Act(Kind::kMove, source, "", there / "b.jpg")));
    REQUIRE((*journal)->Plan(Act(Kind::kMove, waiting, "", there / "c.jpg")));
    CHECK((*journal)->planned() == 2);
    Told told;
    const auto counts = (*journal)->Execute(kNoStop, told.report());
    REQUIRE(counts);
    CHECK(counts->done == 1);  // the other is what `completed` counts
    REQUIRE(told.all.size() == 2);
    for (size_t i = 0; i < 2; ++i) {
      CHECK(told.all[i].second.ok());
      CHECK(told.all[i].first.number == i);
    }
    CHECK(told.all[0].first.target == there / "b.jpg");
    CHECK(Take(there.path()).size() == 2);  // no b-2.jpg
    journal->reset();
    CHECK(*ActionJournal::Resume(undo) == nullptr);
    CHECK(ActionJournal::Create(undo, "imgmill test").error().code == Code::kConflict);
  }
  SUBCASE("the source was edited since: both stay, and it is moved under another name") {
    here.Write("in/b.jpg", "BYTES");
    Age(source, 2'000'000, 7);
    auto journal = ActionJournal::Resume(undo);
    REQUIRE(journal);
    CHECK((*journal)->completed() == 0);
    CHECK(TestFolder::Read(source) == "BYTES");
    REQUIRE((*journal)->Plan(Act(Kind::kMove, source, "", there / "b.jpg")));
    CHECK((*journal)->Execute(kNoStop, kQuiet)->done == 1);
    CHECK(TestFolder::Read(there / "b.jpg") == "bytes");
    CHECK(TestFolder::Read(there / "b-2.jpg") == "BYTES");
    return;
  }
  SUBCASE("size and time are the same, the bytes are not: it is no copy") {
    Age(there.Write("b.jpg", "BYTES"), 1'000'000, 7);
    CHECK((*ActionJournal::Resume(undo))->completed() == 0);
    CHECK(TestFolder::Read(source) == "bytes");
    return;
  }
  CHECK(UndoActions(undo, kNoStop, kQuiet)->failed == 0);
  CHECK(Take(here / "in") == before);
  CHECK(Take(there.path()).empty());
}

TEST_CASE("the undo file: refused when it exists, is foreign, newer, or its plan was cut off") {
  const TestFolder folder;
  folder.Write("exists");
  CHECK(ActionJournal::Create(folder / "exists", "x").error().code == Code::kConflict);
  folder.Write("foreign", "hello\n");
  folder.Write("newer", "imgmill-undo\t2\n");
  folder.Write("empty", "");
  folder.Write("long", std::string(300'000, 'x'));
  folder.Write("bad", "imgmill-undo\t1\tcommand\nplan\t0\tfrobnicate\ta\tb\tc\n");
  for (const char* name : {"foreign", "newer", "empty", "long", "bad"}) {
    CAPTURE(name);
    const auto opened = ActionJournal::Open(folder / name);
    REQUIRE(!opened);
    CHECK(opened.error().code == Code::kMalformed);
  }
  CHECK(ActionJournal::Open(folder / "missing").error().code == Code::kNotFound);
  // Killed in the middle of planning: nothing was touched, and nothing will be.
  const std::string victim = folder.Write("victim");
  const std::string cut = folder.Write(
      "cut", "imgmill-undo\t1\tx\nplan\t0\tmove\t" + victim + "\t" + victim + "2\t\nplan\t1\tmo");
  auto journal = ActionJournal::Open(cut);
  REQUIRE(journal);
  CHECK((*journal)->Execute(kNoStop, kQuiet).error().code == Code::kConflict);
  CHECK((*journal)->Undo(kNoStop, kQuiet)->untouched == 1);
  CHECK(TestFolder::Exists(victim));
}

namespace {

/// Files in pairs: a keeper and its double, and every action in turn.
std::vector<FileAction> MakeWork(const TestFolder& folder, const TestFolder& elsewhere, int pairs) {
  std::vector<FileAction> actions;
  for (int i = 0; i < pairs; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    const std::string content = "content " + std::to_string(i);
    const std::string keep = folder.Write("in/k" + name, content);
    const std::string twin = folder.Write("in/t" + name, content);
    Age(twin, 1'000'000 + i, i);
    const Kind kind = static_cast<Kind>(i % 4);
    const bool far = i % 8 == 4;
    actions.push_back(
        Act(kind, twin, keep,
            kind == Kind::kMove ? (far ? elsewhere / "far.jpg" : folder / "out/near.jpg") : ""));
  }
  return actions;
}

Status RunAll(const std::string& undo, const std::vector<FileAction>& actions) {
  auto journal = ActionJournal::Create(undo, "test");
  if (!journal) return journal.error();
  for (const FileAction& action : actions) {
    if (Status planned = (*journal)->Plan(action); !planned) return planned;
  }
  auto counts = (*journal)->Execute(kNoStop, kQuiet);
  if (!counts) return counts.error();
  return counts->failed == 0 ? Status{} : Error{Stage::kAct, Code::kInternal, "some failed"};
}

/// What a kill left half written, as the next run's session removes it: a second link to a keeper counts as
/// one of its links. The forked child has this program's run token, so that SweepTemporaries spares them.
void RemoveTemporaries(const std::string& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename().string().find(".imgmill-") != std::string::npos)
      found.push_back(entry.path());
  }
  for (const std::filesystem::path& path : found) std::filesystem::remove(path);
}

/// What all of the work takes here and now, in a process of its own: kills are spread over that.
unsigned MicrosecondsUndisturbed() {
  const TestFolder folder(InMemoryPlace());
  const TestFolder elsewhere;
  const std::vector<FileAction> actions = MakeWork(folder, elsewhere, 120);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = Fork([&] { ::_exit(RunAll(folder / "undo", actions) ? 0 : 1); });
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  const auto took = std::chrono::steady_clock::now() - start;
  return static_cast<unsigned>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()) + 1;
}

void KillAfter(pid_t child, unsigned microseconds) {
  ::usleep(microseconds);
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
}

}  // namespace

TEST_CASE("killed at any point, the plan can be completed or undone") {
  std::mt19937 random(5);
  const unsigned whole = MicrosecondsUndisturbed();
  int killed_midway = 0;
  // On a machine whose speed changes meanwhile kills come too early or too late: then there are more of them.
  for (int round = 0; round < 16 || (killed_midway <= 2 && round < 200); ++round) {
    CAPTURE(round);
    const TestFolder folder(InMemoryPlace());
    const TestFolder elsewhere;
    const std::vector<FileAction> actions = MakeWork(folder, elsewhere, 120);
    const Snapshot before = Take(folder / "in");
    const pid_t child = Fork([&] { ::_exit(RunAll(folder / "undo", actions) ? 0 : 1); });
    KillAfter(child, static_cast<unsigned>(random() % whole));
    const Snapshot after_kill = Take(folder / "in");
    if (after_kill != before && Take(elsewhere.path()).size() < 15) ++killed_midway;
    if (!TestFolder::Exists(folder / "undo") ||
        TestFolder::Read(folder / "undo").find("\nsealed") == std::string::npos) {
      CHECK(after_kill == before);  // nothing is touched before the plan stands
      continue;
    }
    if (round % 2 == 0) {
      auto journal = ActionJournal::Open(folder / "undo");
      REQUIRE(journal);
      Told told;
      const auto counts = (*journal)->Execute(kNoStop, told.report());
      REQUIRE(counts);
      for (const auto& [action, status] : told.all)
        CHECK_MESSAGE(status.ok(), action.path << ": " << (status ? "" : status.error().message));
      for (const auto& [name, value] : before) {
        if (name[1] == 'k') CHECK(TestFolder::Read(folder / "in" + name).starts_with("content"));
      }
      const Snapshot moved = Take(folder / "out");
      CHECK(moved.size() == 15);
      RemoveTemporaries(elsewhere.path());
      CHECK(Take(elsewhere.path()).size() == 15);
      for (const FileAction& action : actions) {
        const bool stays = action.kind == Kind::kHardlink || action.kind == Kind::kSymlink;
        CHECK(TestFolder::Exists(action.path) == stays);
      }
    } else if (round % 4 == 1) {  // an undo, itself killed
      const pid_t undoing = Fork([&] { ::_exit(UndoActions(folder / "undo", kNoStop, kQuiet) ? 0 : 1); });
      KillAfter(undoing, static_cast<unsigned>(random() % whole));
    }
    const auto undone =
        UndoActions(folder / "undo", kNoStop, [](const FileAction& action, const Status& status) {
          CHECK_MESSAGE(status.ok(), action.path << ": " << (status ? "" : status.error().message));
        });
    REQUIRE(undone);
    RemoveTemporaries(folder / "in");
    const Snapshot at_last = Take(folder / "in");
    for (const auto& [name, value] : at_last) {
      if (!before.contains(name) || before.at(name) != value)
        MESSAGE(name << " is new or another: " << value);
    }
    for (const auto& [name, value] : before) {
      if (!at_last.contains(name)) MESSAGE(name << " is gone: " << value);
    }
    CHECK(at_last == before);
  }
  MESSAGE("rounds killed midway: " << killed_midway);
  CHECK(killed_midway > 2);
}

TEST_CASE("a disk that is full ends the run early, and it can go on") {
  const TestFolder folder;
  if (::mount("imgmill-test", folder.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
    MESSAGE("SKIPPED: mounting a small tmpfs needs root");
    return;
  }
  const TestFolder elsewhere;
  auto journal = ActionJournal::Create(elsewhere / "undo", "test");
  REQUIRE(journal);
  for (int i = 0; i < 10; ++i) {
    const std::string name = std::to_string(i);
    REQUIRE((*journal)->Plan(
        Act(Kind::kMove, elsewhere.Write("in/" + name, std::string(100'000, 'x')), "", folder / name)));
  }
  const auto full = (*journal)->Execute(kNoStop, kQuiet);
  REQUIRE(full);
  REQUIRE(full->error);
  CHECK(full->error->code == Code::kDiskFull);
  CHECK(full->failed == 1);
  CHECK(full->done == Take(folder.path()).size());
  CHECK(Take(folder.path()).size() + Take(elsewhere / "in").size() == 10);
  REQUIRE(::mount("imgmill-test", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=4M") == 0);
  const auto counts = (*journal)->Execute(kNoStop, kQuiet);
  REQUIRE(counts);
  CHECK(counts->failed == 0);
  CHECK(Take(folder.path()).size() == 10);
  ::umount(folder.path().c_str());
}

TEST_CASE("an undo file that a full disk has left empty is taken, one that another process works on is not") {
  const TestFolder folder;
  const std::string undo = folder.Write("undo.tsv", "");
  const auto first = ActionJournal::Create(undo, "test");
  REQUIRE(first.ok());
  const auto second = ActionJournal::Create(undo, "test");
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == Code::kConflict);
}
