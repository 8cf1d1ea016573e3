// catalog compact, killed before each call that changes a file: nothing that was known is lost.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {

TEST_CASE("after a kill at any point every vector is found, and a second run ends like an undisturbed one") {
  std::set<long> calls = NameCalls();
  calls.insert({SYS_fsync, SYS_fdatasync, SYS_pwrite64, SYS_ftruncate});
  const TestFolder where;
  where.Write("photos/a.png", TestFolder::Read(SampleData() + "/icon_tiny.png"));
  where.Write("photos/b.png", TestFolder::Read(SampleData() + "/badge_alpha.png"));
  const std::string catalog = where / "catalog";
  const std::vector<std::string> embed = {"embed",    where / "photos", "--catalog", catalog,
                                          "--export", where / "v.npy",  "--force"};
  CHECK(Run(embed).exit_code == 0);
  CHECK(Run(embed).exit_code == 0);  // each vector once more
  const std::string expected = TestFolder::Read(where / "v.npy");
  const std::vector<std::string> recall(embed.begin(), embed.end() - 1);
  const std::vector<std::string> compact = {"catalog", "compact", "--catalog", catalog, "--json"};
  std::filesystem::copy(catalog, where / "kept", std::filesystem::copy_options::recursive);
  int points = 0;
  for (KillOutcome outcome = KillOutcome::kKilled; outcome == KillOutcome::kKilled; ++points) {
    std::filesystem::remove_all(catalog);
    std::filesystem::copy(where / "kept", catalog, std::filesystem::copy_options::recursive);
    outcome = KillAtCall(Imgmill(compact), WithState({}).environment, calls, points + 1);
    if (outcome == KillOutcome::kCannotTrace) {
      MESSAGE("SKIPPED: this process may not trace others");
      return;
    }
    CAPTURE(points);
    CHECK(Run(recall).err.find("2 vectors of 512, 2 known before") != std::string::npos);
    CHECK(TestFolder::Read(where / "v.npy") == expected);
    const nlohmann::json again = Json(Run(compact));
    CHECK(again["vectors"][0]["rows_after"] == 2);
    CHECK(Run(recall).err.find("2 known before") != std::string::npos);
    CHECK(CountFiles(where / "catalog/vectors") == 1);
  }
  MESSAGE(points << " points");
  CHECK(points > 10);
}

}  // namespace imgmill::process_test
