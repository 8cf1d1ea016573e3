// A run that is killed while it leads moved links to where their files have gone, at each write, sync and
// rename: a rerun ends it, undo takes it back, and so does an undo after one that was itself killed. What an
// undisturbed run leaves is the oracle.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;
namespace {

/// Each path and what is there: a link's text, or the bytes and how many names they have.
using Entries = std::map<std::string, std::string>;

Entries EntriesOf(const std::string& folder) {
  Entries found;
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_symlink())
      found[name] = "link to " + fs::read_symlink(entry.path()).string();
    else if (entry.is_regular_file() && !name.ends_with(".trashinfo") && !name.ends_with("set-aside"))
      found[name] = std::to_string(entry.hard_link_count()) + " " + TestFolder::Read(entry.path().string());
    else if (entry.is_regular_file())
      found[name] = "of another time each";
  }
  return found;
}

/// b.jpg has another name, c.jpg; z.jpg leads to it, zz.jpg to z.jpg, and a link of another folder to c.jpg.
struct Links {
  explicit Links(const std::string& action_is) : action(action_is) {
    fs::create_directories(where / "photos/more");
    fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/a.jpg");
    fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/b.jpg");
    fs::create_hard_link(where / "photos/b.jpg", where / "photos/c.jpg");
    fs::create_symlink("b.jpg", where / "photos/z.jpg");
    fs::create_symlink("z.jpg", where / "photos/zz.jpg");
    fs::create_symlink("../c.jpg", where / "photos/more/l.jpg");
  }
  std::vector<std::string> Dedup() const {
    std::vector<std::string> words = {"dedup", where / "photos", "--method",   "exact", "--action", action,
                                      "-j1",   "--no-catalog",   "--undo-file"};
    words.push_back(UndoFile());
    if (action == "move") words.insert(words.end(), {"--move-to", where / "out"});
    return words;
  }
  std::vector<std::string> Undo() const { return {"undo", UndoFile()}; }
  ProcessOptions Environment() const {
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + (where / "out")};
    return WithState(options);
  }
  ProcessResult Run(const std::vector<std::string>& words) const {
    return process_test::Run(words, Environment());
  }
  KillOutcome Kill(const std::vector<std::string>& words, int point) const {
    std::set<long> calls = ChangingCalls();
    calls.insert({SYS_fsync, SYS_fdatasync});
    return KillAtCall(Imgmill(words), Environment().environment, calls, point);
  }
  std::string UndoFile() const { return where / "undo.tsv"; }
  bool Leading() const {
    const std::string text = fs::exists(UndoFile()) ? TestFolder::Read(UndoFile()) : std::string();
    return text.find("\nled\t") != std::string::npos && text.find("\nended\t") == std::string::npos;
  }
  Entries Photos() const { return EntriesOf(where / "photos"); }
  Entries Gone() const { return EntriesOf(where / "out"); }

  TestFolder where;
  std::string action;
};

void CheckUndone(const Links& links, const Entries& before) {
  const ProcessResult undone = links.Run(links.Undo());
  INFO(undone.err);
  CHECK(undone.exit_code == 0);
  CHECK(links.Photos() == before);
  CHECK_FALSE(fs::exists(links.where / "out"));
}

void KillWhileLeading(const std::string& action) {
  const Links undisturbed(action);
  const Entries before = undisturbed.Photos();
  REQUIRE(undisturbed.Run(undisturbed.Dedup()).exit_code == 0);
  REQUIRE(undisturbed.Photos().size() == 1);
  std::set<std::string> states;  // of the links: none led, the first, the first two and so on
  int points = 0;
  for (int point = 1;; ++point) {
    CAPTURE(point);
    const Links links(action);
    const KillOutcome outcome = links.Kill(links.Dedup(), point);
    if (outcome == KillOutcome::kCannotTrace) MESSAGE("SKIPPED: this system lets no process trace another");
    if (outcome != KillOutcome::kKilled) break;
    if (!links.Leading()) continue;
    ++points;
    std::string state;
    for (const auto& [name, what] : links.Gone()) {
      if (name.find(".imgmill-") == std::string::npos) state += what.starts_with("link to /") ? "0" : "1";
    }
    states.insert(state);
    if (points % 2 == 0) {
      const ProcessResult again = links.Run(links.Dedup());
      INFO(again.err);
      CHECK(again.exit_code == 0);
      CHECK(links.Photos() == undisturbed.Photos());
      CHECK(links.Gone() == undisturbed.Gone());
    }
    CheckUndone(links, before);
  }
  MESSAGE(points << " points, " << states.size() << " states");
  if (points > 0) CHECK(states.size() == 4);  // a system that lets no process trace another has none
}

}  // namespace

TEST_CASE("dedup killed while it leads links to where their files went") {
  for (const char* action : {"move", "trash"}) {
    INFO(std::string(action));
    KillWhileLeading(action);
  }
}

TEST_CASE("undo of led links killed at any step is completed by the next one") {
  for (const char* action : {"move", "trash"}) {
    INFO(std::string(action));
    for (int point = 1;; ++point) {
      CAPTURE(point);
      const Links links(action);
      const Entries before = links.Photos();
      REQUIRE(links.Run(links.Dedup()).exit_code == 0);
      const KillOutcome outcome = links.Kill(links.Undo(), point);
      if (outcome == KillOutcome::kCannotTrace) MESSAGE("SKIPPED: this system lets no process trace another");
      if (outcome != KillOutcome::kKilled) break;
      CheckUndone(links, before);
    }
  }
}

}  // namespace imgmill::process_test
