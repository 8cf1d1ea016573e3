// Commands that change files, killed at any step: see killed_actions.h.
#include "killed_actions.h"

namespace imgmill::process_test {
namespace {

Words Dedup(const std::string& action) {
  return [action](const Place& place) {
    return std::vector<std::string>{"dedup", place.here / "photos", "--method", "exact", "--action", action};
  };
}

}  // namespace

TEST_CASE("dedup --action hardlink killed at any step") {
  KillEverywhere(Dedup("hardlink"), 3);
}

TEST_CASE("dedup --action symlink killed at any step") {
  KillEverywhere(Dedup("symlink"), 3);
}

TEST_CASE("dedup --action delete killed at any step") {
  KillEverywhere(Dedup("delete"), 3);
}

TEST_CASE("dedup --action trash killed at any step") {
  KillEverywhere(Dedup("trash"), 3);
}

TEST_CASE("dedup --action trash of links with their files killed at any step") {
  KillEverywhere(Dedup("trash"), 5, Beside::kLinks);
}

TEST_CASE("dedup --action trash of images with side-cars killed at any step") {
  KillEverywhere(
      [](const Place& place) {
        std::vector<std::string> words = Dedup("trash")(place);
        words.insert(words.end(), {"--sidecars", "*.txt,*.xmp"});
        return words;
      },
      3, Beside::kOwnSidecars);
}

TEST_CASE("dedup --action move to another file system killed at any step") {
  KillEverywhere(
      [](const Place& place) {
        std::vector<std::string> words = Dedup("move")(place);
        words.insert(words.end(), {"--move-to", place.elsewhere / "out"});
        return words;
      },
      3);
}

TEST_CASE("dedup --action move of links with their files killed at any step") {
  KillEverywhere(
      [](const Place& place) {
        std::vector<std::string> words = Dedup("move")(place);
        words.insert(words.end(), {"--move-to", place.here / "out"});
        return words;
      },
      5, Beside::kLinks);
}

TEST_CASE("dedup --action move of images with side-cars killed at any step") {
  KillEverywhere(
      [](const Place& place) {
        std::vector<std::string> words = Dedup("move")(place);
        words.insert(words.end(), {"--move-to", place.elsewhere / "out", "--sidecars", "*.txt,*.xmp"});
        return words;
      },
      4, Beside::kSidecars);
}

TEST_CASE("filter --action copy of images with side-cars killed at any step") {
  KillEverywhere(
      [](const Place& place) {
        return std::vector<std::string>{
            "filter", place.here / "photos", "--keep", "short_side>1", "--action",   "copy",
            "--to",   place.here / "out",    "-q",     "--sidecars",   "*.txt,*.xmp"};
      },
      5, Beside::kSidecars);
}

TEST_CASE("filter --action copy killed at any step") {
  KillEverywhere(
      [](const Place& place) {
        return std::vector<std::string>{
            "filter", place.here / "photos", "--keep", "short_side>1", "--action", "copy",
            "--to",   place.here / "out"};
      },
      4);
}

TEST_CASE("embed --export killed at any step knows its own files when it is run again") {
  const TestFolder state;
  const std::set<long> calls = NameCalls();
  for (const std::string name : {"vectors.csv", "vectors.npy"}) {
    CAPTURE(name);
    const auto words = [&](const TestFolder& where) {
      return std::vector<std::string>{"embed",     where / "photos",  "--export", where / ("out/" + name),
                                      "--catalog", where / "catalog", "-j1"};
    };
    FolderBytes expected;
    for (int point = 0;; ++point) {
      CAPTURE(point);
      const TestFolder where;
      fs::create_directories(where / "photos");
      fs::create_directories(where / "out");
      fs::copy_file(SampleData() + "/harbour.jpg", where / "photos/a.jpg");
      REQUIRE(Run(words(where)).exit_code == 0);
      fs::copy_file(SampleData() + "/marble.jpg", where / "photos/b.jpg");
      if (point == 0) {  // undisturbed
        REQUIRE(Run(words(where)).exit_code == 0);
        expected = ReadFolder(where / "out");
        for (auto& [file, bytes] : expected) {
          if (file.ends_with("paths.txt") || file.ends_with("csv")) bytes.clear();  // name the folder
        }
        continue;
      }
      const KillOutcome outcome = KillAtCall(Imgmill(words(where)), WithState({}).environment, calls, point);
      if (outcome == KillOutcome::kCannotTrace) MESSAGE("SKIPPED: this system lets no process trace another");
      if (outcome != KillOutcome::kKilled) {
        CHECK(point > 2);
        break;
      }
      const ProcessResult again = Run(words(where));
      INFO(again.err);
      CHECK(again.exit_code == 0);
      FolderBytes found = ReadFolder(where / "out");
      for (auto& [file, bytes] : found) {
        if (file.ends_with("paths.txt") || file.ends_with("csv")) {
          CHECK(bytes.find("b.jpg") != std::string::npos);
          bytes.clear();
        }
      }
      CHECK(Difference(expected, found) == "");
    }
  }
}

}  // namespace imgmill::process_test
