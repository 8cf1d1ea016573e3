// apply killed at any step, and told what an earlier run has done already.
#include "commands/decided_file.h"
#include "killed_actions.h"

namespace imgmill::process_test {
namespace {

/// As a page would have exported it, at the first call: 0.jpg stays, and 1.jpg to 3.jpg go.
std::string Decisions(const TestFolder& here) {
  std::string file = here / "decisions.json";
  if (fs::exists(file)) return file;
  const auto shown = [&](const std::string& name) { return DecidedHarbour(here, "photos/" + name, name); };
  const nlohmann::ordered_json duplicates = {shown("1.jpg"), shown("2.jpg"), shown("3.jpg")};
  WriteDecisions(here, {{{"keep", shown("0.jpg")}, {"duplicates", duplicates}}});
  return file;
}

Words Apply(const std::vector<std::string>& more) {
  return [more](const Place& place) {
    std::vector<std::string> words = {"apply", Decisions(place.here), "--action"};
    words.insert(words.end(), more.begin(), more.end());
    if (more[0] == "move") words.insert(words.end(), {"--move-to", place.elsewhere / "out"});
    return words;
  };
}

}  // namespace

TEST_CASE("apply --action move to another file system killed at any step") {
  KillEverywhere(Apply({"move"}), 3);
}

TEST_CASE("apply --action trash of images with side-cars killed at any step") {
  KillEverywhere(Apply({"trash", "--sidecars", "*.txt,*.xmp"}), 3, Beside::kOwnSidecars);
}

TEST_CASE("apply --action delete killed at any step") {
  KillEverywhere(Apply({"delete"}), 3);
}

TEST_CASE("apply --action symlink killed at any step") {
  KillEverywhere(Apply({"symlink"}), 3);
}

TEST_CASE("apply after one that has ended says what that has done, and is no error") {
  const TestFolder where;
  fs::create_directories(where / "photos");
  for (int i = 0; i < 4; ++i)
    fs::copy_file(SampleData() + "/harbour.jpg", where / ("photos/" + std::to_string(i) + ".jpg"));
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--catalog", where / "catalog", "--json"});
    return Run(words);
  };
  const std::vector<std::string> move = {"apply", Decisions(where), "--action",
                                         "move",  "--move-to",      where / "out"};
  REQUIRE(run(move).exit_code == 0);
  SUBCASE("the same again") {
    const ProcessResult again = run(move);
    INFO(again.err);
    CHECK(again.exit_code == 0);
    CHECK(again.err.find("0 duplicates (0 B), 3 done by an earlier run") != std::string::npos);
    const nlohmann::json json = Json(again);
    CHECK(json.value("done_before", 0) == 3);
    CHECK(json["changed"] == 0);
    CHECK_FALSE(json.contains("action_failures"));
  }
  SUBCASE("without an action") {
    const ProcessResult report = run({"apply", Decisions(where)});
    CHECK(report.exit_code == 0);
    CHECK(Json(report).value("done_before", 0) == 3);
  }
  SUBCASE("another action, which cannot be done any more") {
    const ProcessResult other = run({"apply", Decisions(where), "--action", "delete"});
    CHECK(other.exit_code == 1);
    CHECK(Json(other)["changed"] == 3);
    CHECK(other.err.find("an earlier imgmill apply has moved it to " + where / "out/1.jpg") !=
          std::string::npos);
    CHECK(fs::exists(where / "out/1.jpg"));
  }
  SUBCASE("somebody has put another file there") {
    where.Write("photos/2.jpg", "no picture");
    const ProcessResult again = run(move);
    CHECK(again.exit_code == 1);
    CHECK(Json(again).value("done_before", 0) == 2);
    CHECK(again.err.find("2.jpg: cannot act: it is not the file that the page has shown") !=
          std::string::npos);
  }
}

TEST_CASE("apply says which command has taken what it was to act on") {
  const TestFolder where;
  fs::create_directories(where / "photos");
  for (int i = 0; i < 4; ++i)
    fs::copy_file(SampleData() + "/harbour.jpg", where / ("photos/" + std::to_string(i) + ".jpg"));
  const std::string decisions = Decisions(where);
  REQUIRE(Run({"filter", where / "photos", "--keep", "short_side>5000", "--action", "move", "--to",
               where / "out", "--catalog", where / "catalog"})
              .exit_code == 0);
  const ProcessResult applied =
      Run({"apply", decisions, "--action", "delete", "--catalog", where / "catalog"});
  CHECK(applied.exit_code == 1);
  CHECK(applied.err.find("an earlier imgmill filter has moved it to " + where / "out/0.jpg") !=
        std::string::npos);
  CHECK(applied.err.find("none of its duplicates is touched") != std::string::npos);
}

}  // namespace imgmill::process_test
