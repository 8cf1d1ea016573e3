// A pipeline whose steps change files, killed at any step: the rerun ends what both steps were to do, each
// undo file holds the work of its own step and all of it, and undo of them all gives the input back. What an
// undisturbed run leaves is the oracle.
#include <sstream>

#include "killed_actions.h"

namespace imgmill::process_test {
namespace {

/// Three of the four photos are duplicates; what is left, and three others, the second step takes.
struct Project {
  explicit Project(const std::string& steps) : place(Beside::kNothing) {
    for (const std::string name : {"marble.jpg", "meadow.jpg", "clock.jpg"}) {
      const std::string photo = place.here / ("photos/" + name);
      fs::copy_file(SampleData() + "/" + name, photo);
      const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      REQUIRE(::utimensat(AT_FDCWD, photo.c_str(), times, 0) == 0);
    }
    std::string text = steps;
    for (size_t at = text.find("OUT"); at != std::string::npos; at = text.find("OUT"))
      text.replace(at, 3, place.elsewhere / "out");
    place.here.Write("p.yaml", "input: photos\noutput: run\ncatalog: run/.imgmill\nsteps:\n" + text);
  }
  std::vector<std::string> Words() const { return {"run", place.here / "p.yaml", "-j1", "--json"}; }
  /// The one that was made last comes first.
  std::vector<std::string> UndoFiles() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(place.here.path())) {
      if (entry.path().extension() == ".tsv") files.push_back(entry.path().string());
    }
    std::ranges::sort(files, std::ranges::greater(),
                      [](const std::string& file) { return file.substr(0, file.size() - 4); });
    return files;
  }
  Place place;
};

/// Names of the photos that an undo file says were done and not undone.
std::set<std::string> DoneIn(const std::string& undo_file) {
  std::istringstream lines(TestFolder::Read(undo_file));
  std::map<std::string, std::string> paths;
  std::set<std::string> done;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string word, number, kind, path;
    std::getline(fields, word, '\t');
    std::getline(fields, number, '\t');
    if (word == "done") done.insert(paths[number]);
    if (word == "undone") done.erase(paths[number]);
    if (word != "plan") continue;
    std::getline(fields, kind, '\t');
    std::getline(fields, path, '\t');
    paths[number] = fs::path(path).filename().string();
  }
  return done;
}

/// Of each undo file with anything in it that was not undone.
std::set<std::set<std::string>> DoneByFile(const Project& project) {
  std::set<std::set<std::string>> all;
  for (const std::string& file : project.UndoFiles()) {
    if (std::set<std::string> done = DoneIn(file); !done.empty()) all.insert(std::move(done));
  }
  return all;
}

void UndoAll(const Project& project, const State& before) {
  for (const std::string& file : project.UndoFiles()) {
    if (TestFolder::Read(file).empty()) continue;  // the kill came before its first line
    const ProcessResult undone = Run({"undo", file}, project.place.Environment());
    INFO(undone.err);
    CHECK(undone.exit_code == 0);
  }
  CHECK(Differing(before, project.place.photos()) == "");
  CHECK_FALSE(fs::exists(project.place.here / "out"));
  CHECK_FALSE(fs::exists(project.place.elsewhere / "out"));
}

/// @param files  how many undo files there are in the end
/// @param ready  makes what is there before the run
void KillPipelineEverywhere(const std::string& steps, size_t files,
                            const std::function<void(const Project&)>& ready = {}) {
  const Project undisturbed(steps);
  if (ready) ready(undisturbed);
  const State before = undisturbed.place.photos();
  REQUIRE(Run(undisturbed.Words(), undisturbed.place.Environment()).exit_code == 0);
  const std::set<std::set<std::string>> done = DoneByFile(undisturbed);
  REQUIRE(done.size() == 2);  // one of each step
  REQUIRE(done.begin()->size() + done.rbegin()->size() == 7);
  const auto kill = [&](const Project& project, const std::set<long>& calls, int point) {
    if (ready) ready(project);
    return KillAtCall(Imgmill(project.Words()), project.place.Environment().environment, calls, point);
  };
  const auto check = [&](const Project& project, bool again) {
    if (again) {
      const Place& place = project.place;
      const ProcessResult rerun = Run(project.Words(), place.Environment());
      INFO(rerun.err);
      CHECK(rerun.exit_code == 0);
      CHECK(Differing(undisturbed.place.photos(), place.photos()) == "");
      CHECK(Differing(undisturbed.place.targets(), place.targets()) == "");
      CHECK(DoneByFile(project) == done);
      CHECK(project.UndoFiles().size() == files);
    }
    UndoAll(project, before);
  };
  const std::optional<int> points = KillAtEachPoint([&] { return Project(steps); }, kill, check);
  if (!points) return;
  CHECK(*points >= 14);  // seven actions of at least two changes each
}

constexpr char kMoveAndMove[] =
    "  - dedup: {method: exact, action: move, move-to: OUT/dups, undo-file: first.tsv}\n"
    "  - filter: {keep: [\"short_side>5000\"], action: move, to: OUT/small, undo-file: second.tsv}\n";

}  // namespace

TEST_CASE("a pipeline of two steps that move files, killed at any step") {
  KillPipelineEverywhere(kMoveAndMove, 2);
}

TEST_CASE("a pipeline of a step that moves and one that trashes files, killed at any step") {
  KillPipelineEverywhere(
      "  - dedup: {method: exact, action: move, move-to: OUT/dups, undo-file: first.tsv}\n"
      "  - filter: {keep: [\"short_side>5000\"], action: trash, undo-file: second.tsv}\n",
      2);
}

TEST_CASE("a pipeline of two steps of one command, killed at any step") {
  KillPipelineEverywhere(
      "  - filter: {keep: [\"width!=480\"], action: move, to: OUT/a, undo-file: first.tsv}\n"
      "  - filter: {keep: [\"short_side>5000\"], action: move, to: OUT/b, undo-file: second.tsv}\n",
      2);
}

TEST_CASE("a pipeline whose undo files of an earlier run are there already, killed at any step") {
  // An earlier run has moved one photo by each step; what it did is none of the next one's.
  KillPipelineEverywhere(kMoveAndMove, 4, [](const Project& project) {
    const Place& place = project.place;
    const TestFolder aside;
    for (const std::string name : {"2.jpg", "3.jpg", "marble.jpg", "meadow.jpg", "clock.jpg"})
      fs::rename(place.here / ("photos/" + name), aside / name);
    REQUIRE(Run(project.Words(), place.Environment()).exit_code == 0);
    REQUIRE(project.UndoFiles().size() == 2);
    for (const auto& file : project.UndoFiles()) REQUIRE(Run({"undo", file}).exit_code == 0);
    for (const auto& entry : fs::directory_iterator(aside.path()))
      fs::rename(entry.path(), place.here / ("photos/" + entry.path().filename().string()));
  });
}

TEST_CASE("a pipeline whose two steps name one undo file, killed at any step") {
  KillPipelineEverywhere(
      "  - dedup: {method: exact, action: move, move-to: OUT/dups, undo-file: first.tsv}\n"
      "  - filter: {keep: [\"short_side>5000\"], action: move, to: OUT/small, undo-file: first.tsv}\n",
      2);
}

}  // namespace imgmill::process_test
