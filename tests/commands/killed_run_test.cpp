// A run that is killed at any point and started again ends with the files and bytes of an undisturbed one.
//
// The points are calls by which files change, counted in an undisturbed run, so that they fall inside of the
// work however slow or busy the machine is.
#include <doctest/doctest.h>

#include <climits>
#include <functional>
#include <memory>
#include <random>

#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

constexpr int kKills = 6;

/// Newer architectures have the call with "at" only.
#ifdef SYS_unlink
constexpr long kUnlink = SYS_unlink;
#else
constexpr long kUnlink = SYS_unlinkat;
#endif

/// One command whose progress shows as files in a folder.
struct Scenario {
  /// The command on folders below `where`, whose inputs it makes.
  std::function<std::vector<std::string>(const TestFolder& where)> prepare;
  std::string progress;             ///< folder in which files appear, below `where`
  std::vector<std::string> result;  ///< folders that are compared
  int exit_code = 0;
  bool before_removals = false;  ///< every other kill comes right before a file is removed
  /// Told of what a killed run has left.
  std::function<void(const TestFolder& where)> killed = nullptr;
  /// What is checked of a run that was killed and run again, beside the results.
  std::function<void(const TestFolder& where, const std::vector<std::string>& command)> then = nullptr;
};

std::vector<FolderBytes> Results(const Scenario& scenario, const TestFolder& where) {
  std::vector<FolderBytes> folders;
  for (const std::string& each : scenario.result) folders.push_back(ReadFolder(where / each));
  return folders;
}

/// A point in the `part`-th of kKills equal parts of a run that made these calls: each kind of work is hit.
int PointIn(int part, const std::vector<long>& calls, bool before_removal) {
  std::mt19937 random(static_cast<unsigned>(part));
  const int length = static_cast<int>(calls.size()) / kKills;
  int point = part * length + std::uniform_int_distribution<int>(0, length - 1)(random);
  const auto removes = [&](int at) {
    const long call = calls[static_cast<size_t>(at)];
    return call == SYS_unlinkat || call == kUnlink;
  };
  const int last = static_cast<int>(calls.size()) - 1;
  for (int at = point; before_removal && at <= last; ++at) {
    if (removes(at)) return at + 1;
  }
  return point + 1;  // from 1
}

void KillAndRunAgain(const Scenario& scenario) {
  const std::vector<std::string> environment = WithState({}).environment;
  const TestFolder undisturbed;
  const ProcessResult whole = Run(scenario.prepare(undisturbed));
  INFO(whole.err);
  REQUIRE(whole.exit_code == scenario.exit_code);
  const std::vector<FolderBytes> expected = Results(scenario, undisturbed);
  const size_t files = CountFiles(undisturbed / scenario.progress);
  REQUIRE(files >= 10);
  std::vector<long> calls;
  {
    const TestFolder counted;
    const KillOutcome outcome =
        KillAtCall(Imgmill(scenario.prepare(counted)), environment, ChangingCalls(), INT_MAX, &calls);
    if (outcome == KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this system lets no process trace another");
      return;
    }
    CHECK(Difference(expected.back(), ReadFolder(counted / scenario.result.back())) == "");
  }
  REQUIRE(calls.size() >= 100);

  int midway = 0;
  for (int part = 0; part < kKills; ++part) {
    const int point = PointIn(part, calls, scenario.before_removals && part % 2 == 1);
    CAPTURE(part);
    CAPTURE(point);
    const TestFolder where;
    const std::vector<std::string> command = scenario.prepare(where);
    // Threads may make a few calls more or less in another run: the last point may be behind its end.
    const bool killed =
        KillAtCall(Imgmill(command), environment, ChangingCalls(), point) == KillOutcome::kKilled;
    if (killed && CountFiles(where / scenario.progress) < files) ++midway;
    if (scenario.killed) scenario.killed(where);
    const ProcessResult again = Run(command);
    INFO(again.err);
    CHECK(again.exit_code == scenario.exit_code);
    const std::vector<FolderBytes> found = Results(scenario, where);
    for (size_t i = 0; i < expected.size(); ++i) {
      INFO(scenario.result[i]);
      CHECK(Difference(expected[i], found[i]) == "");
    }
    if (scenario.then) scenario.then(where, command);
  }
  MESSAGE(midway << " of " << kKills << " runs were killed midway, in " << calls.size() << " calls");
  CHECK(midway >= kKills / 2);
}

}  // namespace

TEST_CASE("a killed upscale, run again, ends with the bytes of an undisturbed one") {
  Scenario scenario;
  scenario.prepare = [](const TestFolder& where) {
    return std::vector<std::string>{"upscale", SampleData(), "--method", "lanczos3",   "--scale",
                                    "1.3",     "-j2",        "-o",       where / "out"};
  };
  scenario.progress = "out";
  scenario.result = {"out"};
  scenario.exit_code = 1;  // two of the samples are broken on purpose
  KillAndRunAgain(scenario);
}

TEST_CASE("a killed tile, run again, ends with the bytes of an undisturbed one, its manifest included") {
  Scenario scenario;
  scenario.prepare = [](const TestFolder& where) {
    return std::vector<std::string>{"tile", SampleData(), "--size", "160",        "--overlap",
                                    "32",   "-j2",        "-o",     where / "out"};
  };
  scenario.progress = "out";
  scenario.result = {"out"};
  scenario.exit_code = 1;  // two of the samples are broken on purpose
  KillAndRunAgain(scenario);
}

TEST_CASE("a killed frames, run again, ends with the bytes of an undisturbed one, its manifest included") {
  // The same for all runs: the manifest names them. Many, so that the kills fall between sets, too.
  const TestFolder animations;
  for (int copy = 0; copy < 5; ++copy) {
    std::filesystem::copy(IMGMILL_SOURCE_DIR "/tests/golden/frames", animations / std::to_string(copy));
  }
  Scenario scenario;
  scenario.prepare = [&](const TestFolder& where) {
    return std::vector<std::string>{"frames", animations.path(), "-j2", "-o", where / "out"};
  };
  scenario.progress = "out";
  scenario.result = {"out"};
  KillAndRunAgain(scenario);
}

TEST_CASE("a killed pack, run again, ends with the bytes of an undisturbed one") {
  // The same for all runs, as above. Large enough that a shard is several writes.
  const TestFolder photos;
  for (int copy = 0; copy < 24; ++copy) {
    const std::string name = photos / (std::to_string(copy) + ".jpg");
    std::filesystem::copy_file(SampleData() + "/harbour.jpg", name);
    std::filesystem::resize_file(name, (size_t{256} << 10) + static_cast<size_t>(copy));
    photos.Write(std::to_string(copy) + ".txt", "a caption");
  }
  Scenario scenario;
  scenario.prepare = [&](const TestFolder& where) {
    return std::vector<std::string>{"pack", photos.path(), "-o", where / "out", "--shard-samples", "2"};
  };
  scenario.progress = "out";
  scenario.result = {"out"};
  KillAndRunAgain(scenario);
}

TEST_CASE("a killed dedup --action move, run again, moves what an undisturbed one moves") {
  Scenario scenario;
  scenario.prepare = [](const TestFolder& where) {
    CopySamples(where / "photos");
    // Many moves, so that the kills fall between them.
    for (int i = 0; i < 40; ++i) {
      std::filesystem::copy_file(SampleData() + "/harbour.jpg",
                                 where / ("photos/copy" + std::to_string(i) + ".jpg"));
    }
    return std::vector<std::string>{"dedup",     where / "photos", "--action",  "move",
                                    "--move-to", where / "moved",  "--catalog", where / "catalog"};
  };
  scenario.progress = "moved";
  scenario.result = {"photos", "moved"};
  KillAndRunAgain(scenario);
}

TEST_CASE(
    "a killed move to another file system, run again, moves what an undisturbed one moves, and undo takes it "
    "back") {
  constexpr size_t kMoved = 20;
  std::vector<std::unique_ptr<TestFolder>> elsewhere;
  struct stat here {};
  struct stat memory {};
  const TestFolder probe;
  if (::stat(probe.path().c_str(), &here) != 0 || ::stat("/dev/shm", &memory) != 0 ||
      here.st_dev == memory.st_dev || ::access("/dev/shm", W_OK) != 0) {
    MESSAGE("SKIPPED: no second file system at /dev/shm");
    return;
  }
  Scenario scenario;
  scenario.prepare = [&](const TestFolder& where) {
    std::filesystem::create_directories(where / "photos");
    for (size_t i = 0; i < kMoved + 1; ++i)
      std::filesystem::copy_file(SampleData() + "/harbour.jpg",
                                 where / ("photos/copy" + std::to_string(i) + ".jpg"));
    elsewhere.push_back(std::make_unique<TestFolder>("/dev/shm"));
    std::filesystem::create_directory_symlink(elsewhere.back()->path(), where / "moved");
    return std::vector<std::string>{"dedup",     where / "photos", "--method",  "exact",
                                    "--action",  "move",           "--move-to", where / "moved",
                                    "--catalog", where / "catalog"};
  };
  scenario.progress = "moved";
  scenario.result = {"photos", "moved"};
  scenario.before_removals = true;
  int half_done = 0;
  scenario.killed = [&](const TestFolder& where) {
    const FolderBytes moved = ReadFolder(where / "moved");
    for (const auto& entry : std::filesystem::directory_iterator(where / "photos")) {
      if (moved.contains(entry.path().filename().string())) ++half_done;
    }
  };
  scenario.then = [=](const TestFolder& where, const std::vector<std::string>& command) {
    // The undo files of both runs are one.
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(where / "catalog")) {
      if (entry.path().extension() == ".tsv") files.push_back(entry.path().string());
    }
    for (const std::string& file : files) CHECK(Run({"undo", file}).exit_code == 0);
    CHECK(CountFiles(where / "photos") == kMoved + 1);
    CHECK(CountFiles(where / "moved") == 0);
    CHECK(Run(command).exit_code == 0);
    CHECK(CountFiles(where / "photos") == 1);
    CHECK(CountFiles(where / "moved") == kMoved);
  };
  KillAndRunAgain(scenario);
  MESSAGE(half_done << " runs were killed between a copy and the removal of its source");
  CHECK(half_done > 0);
}

TEST_CASE("a killed filter --action copy, run again, copies what an undisturbed one copies") {
  Scenario scenario;
  scenario.prepare = [](const TestFolder& where) {
    CopySamples(where / "photos");
    for (int i = 0; i < 30; ++i) {
      std::filesystem::copy_file(SampleData() + "/harbour.jpg",
                                 where / ("photos/copy" + std::to_string(i) + ".jpg"));
    }
    return std::vector<std::string>{"filter",    where / "photos", "--keep", "sharpness>p10",
                                    "--action",  "copy",           "--to",   where / "good",
                                    "--catalog", where / "catalog"};
  };
  scenario.progress = "good";
  scenario.result = {"photos", "good"};
  KillAndRunAgain(scenario);
}

namespace {

/// A pipeline of SampleData() into out/, with these lines behind its input and output.
Scenario PipelineRun(const std::string& lines, const std::string& threads) {
  Scenario scenario;
  scenario.prepare = [=](const TestFolder& where) {
    const std::string file =
        where.Write("pipeline.yaml", "input: " + SampleData() + "\noutput: out\n" + lines);
    return std::vector<std::string>{"run", file, threads};
  };
  scenario.progress = "out";
  scenario.result = {"out"};
  return scenario;
}

}  // namespace

TEST_CASE("a killed pipeline, run again, ends with the bytes of an undisturbed one") {
  KillAndRunAgain(
      PipelineRun("include: [\"[b-m]*\"]\n"
                  "steps:\n"
                  "  - dedup:\n"
                  "      max-distance: 10\n"
                  "  - upscale:\n"
                  "      method: lanczos3\n"
                  "      scale: 1.2\n",
                  "-j1"));
}

TEST_CASE(
    "a killed pipeline whose steps share decodes, run again, ends with the bytes of an undisturbed one") {
  Scenario scenario = PipelineRun(
      "steps:\n"
      "  - filter:\n"
      "      keep: sharpness>=10\n"
      "  - tile:\n"
      "      size: 96\n",
      "-j2");
  scenario.exit_code = 1;  // two of the samples are broken on purpose
  KillAndRunAgain(scenario);
}

}  // namespace imgmill::process_test
