// A command that changes files, killed before each of its renames, links and removals in turn: the rerun ends
// with the files of an undisturbed run, undo with those from before, and neither leaves anything of ours.
// What an undisturbed run leaves is the oracle.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;

/// Relative path to what is there: a link's text, or bytes, time and number of names.
using State = std::map<std::string, std::string>;

inline State Look(const std::string& folder) {
  State state;
  if (!fs::exists(folder)) return state;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory() && !entry.is_symlink()) continue;
    struct stat info = {};
    REQUIRE(::lstat(entry.path().c_str(), &info) == 0);
    std::string& text = state[entry.path().lexically_relative(folder).string()];
    text = entry.is_symlink()
               ? "link to " + fs::read_symlink(entry.path()).string()
               : TestFolder::Read(entry.path().string()) + " time " + std::to_string(info.st_mtim.tv_sec) +
                     " names " + std::to_string(info.st_nlink);
  }
  return state;
}

/// Names only: the bytes would fill the screen.
inline std::string Differing(const State& expected, const State& found) {
  std::string text;
  for (const auto& [name, value] : expected) {
    const auto other = found.find(name);
    if (other == found.end() || other->second != value) text += name + " is gone or another; ";
  }
  for (const auto& [name, value] : found) text += expected.contains(name) ? "" : name + " is too much; ";
  return text;
}

/// What there is beside the photos.
enum class Beside { kNothing, kOwnSidecars, kSidecars, kLinks };

struct Place {
  /// @param more  side-cars: each photo but the last has two, one of which two photos have in common, unless
  ///   each has its own. Links:
  ///   two photos have one, which come before and behind them in the listing.
  explicit Place(Beside more) : elsewhere("/dev/shm") {
    const bool shared = more == Beside::kSidecars, sidecars = shared || more == Beside::kOwnSidecars;
    fs::create_directories(here / "photos");
    for (int i = 0; i < 4; ++i) {
      const std::string name = "photos/" + std::to_string(i);
      fs::copy_file(SampleData() + "/harbour.jpg", here / (name + ".jpg"));
      if (!sidecars) continue;
      here.Write(name + ".jpg.xmp", "metadata of " + name);
      if (i < 3) here.Write(name + ".txt", "caption of " + name);
    }
    if (more == Beside::kLinks) {
      fs::create_symlink("2.jpg", here / "photos/1_link.jpg");
      fs::create_symlink("../photos/3.jpg", here / "photos/3_link.jpg");
    }
    if (shared) fs::copy_file(SampleData() + "/harbour.jpg", here / "photos/2.jpeg");
    for (const auto& entry : fs::directory_iterator(here / "photos")) {
      const auto age = static_cast<time_t>(1'000'000'000 + entry.path().filename().string()[0]);
      const timespec times[2] = {{age, 0}, {age, 0}};
      REQUIRE(::utimensat(AT_FDCWD, entry.path().c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
    }
  }
  State photos() const { return Look(here / "photos"); }
  State targets() const {
    State all = Look(here / "out");
    all.merge(Look(elsewhere / "out"));
    for (auto& [name, state] : all) {
      if (name.ends_with(".imgmill-set-aside")) state = "a mark";  // of another time each
      // So is a note of the trash, which names the folder, too: of its lines the end of the path is left.
      if (const size_t date = state.find("\nDeletionDate="); name.ends_with(".trashinfo"))
        state = state.substr(state.rfind('/', date), date - state.rfind('/', date));
    }
    return all;
  }
  /// The last one first: a run that was killed after it had ended its file is followed by one with its own.
  std::vector<std::string> UndoFiles() const {
    std::vector<std::string> files;
    if (!fs::exists(here / "catalog")) return files;
    for (const auto& entry : fs::directory_iterator(here / "catalog")) {
      if (entry.path().extension() == ".tsv") files.push_back(entry.path().string());
    }
    std::sort(files.rbegin(), files.rend());
    return files;
  }
  /// Its trash is in "out".
  ProcessOptions Environment() const {
    ProcessOptions options;
    options.environment = {"XDG_DATA_HOME=" + (here / "out")};
    return WithState(options);
  }
  TestFolder here;
  TestFolder elsewhere;  ///< of another file system, where there is one
};

using Words = std::function<std::vector<std::string>(const Place&)>;

inline std::vector<std::string> Whole(const Words& words, const Place& place) {
  std::vector<std::string> all = words(place);
  for (const char* each : {"--catalog", "", "-j1", "--json"}) all.emplace_back(each);
  all[all.size() - 3] = place.here / "catalog";
  return all;
}

inline uint64_t Number(const nlohmann::json& json, const char* name) {
  return json.contains(name) ? json[name].get<uint64_t>() : 0;
}

inline void UndoAndCheck(const Place& place, const State& before) {
  for (const std::string& file : place.UndoFiles()) {
    const ProcessResult undone = Run({"undo", file}, place.Environment());
    INFO(undone.err);
    CHECK(undone.exit_code == 0);
  }
  CHECK(Differing(before, place.photos()) == "");
  CHECK_FALSE(fs::exists(place.here / "out"));
  CHECK_FALSE(fs::exists(place.elsewhere / "out"));
}

/// @param finished  whether the run had ended its undo file: then a rerun finds nothing to tell
inline void RunAgainAndCheck(const Words& words, const Place& place, const Place& undisturbed,
                             uint64_t actions, bool finished) {
  const ProcessResult again = Run(Whole(words, place), place.Environment());
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(Differing(undisturbed.photos(), place.photos()) == "");
  CHECK(Differing(undisturbed.targets(), place.targets()) == "");
  const nlohmann::json json = Json(again);
  const uint64_t told =
      Number(json, "acted") + Number(json, "already_so") + Number(json, "completed_of_a_killed_run");
  CHECK((told == actions || (finished && told == 0)));
}

/// Kills one run after the other, each at a later point, twice in a place of its own, until one comes to its
/// end. @return at how many points; nothing where this system lets no process trace another
/// @param fresh  makes the place
/// @param kill   (place, calls, point): runs there, as KillAtCall
/// @param check  (place, again): what a killed run has left, run again or not
template <typename Fresh, typename Kill, typename Check>
std::optional<int> KillAtEachPoint(const Fresh& fresh, const Kill& kill, const Check& check) {
  const std::set<long> calls = NameCalls();
  int points = 0;
  for (bool killed = true; killed; points += killed ? 1 : 0) {
    for (const bool again : {true, false}) {
      CAPTURE(points);
      CAPTURE(again);
      const auto place = fresh();
      const KillOutcome outcome = kill(place, calls, points + 1);
      if (outcome == KillOutcome::kCannotTrace) {
        MESSAGE("SKIPPED: this system lets no process trace another");
        return std::nullopt;
      }
      killed = outcome == KillOutcome::kKilled;
      if (!killed) break;
      check(place, again);
    }
  }
  MESSAGE(points << " points");
  return points;
}

inline void KillEverywhere(const Words& words, uint64_t actions, Beside more = Beside::kNothing) {
  Place undisturbed(more);
  const State before = undisturbed.photos();
  REQUIRE(Run(Whole(words, undisturbed), undisturbed.Environment()).exit_code == 0);
  const auto kill = [&](const Place& place, const std::set<long>& calls, int point) {
    return KillAtCall(Imgmill(Whole(words, place)), place.Environment().environment, calls, point);
  };
  const auto check = [&](const Place& place, bool again) {
    const std::vector<std::string> undo = place.UndoFiles();
    const bool finished = !undo.empty() && TestFolder::Read(undo[0]).find("\nended\t") != std::string::npos;
    if (again) RunAgainAndCheck(words, place, undisturbed, actions, finished);
    UndoAndCheck(place, before);
  };
  const std::optional<int> points = KillAtEachPoint([&] { return Place(more); }, kill, check);
  if (!points) return;
  CHECK(*points >= 6);  // three actions of at least two changes each, or the files of the run
}

}  // namespace imgmill::process_test
