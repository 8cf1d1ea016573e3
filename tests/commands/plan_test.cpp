// A plan against the run that it is about: the same images, the same that do not fit, and the peak that the
// kernel then measured.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "program.h"

namespace imgmill::process_test {
namespace {

/// Small samples and two large files, one of which is held whole by its decoder.
void MakePhotos(const std::string& folder) {
  CopySamples(folder);
  WriteLargeJpeg(folder + "/large.jpg", 4000, 3000);
  const ProcessResult webp = Run({"upscale", folder + "/large.jpg", "--method", "linear", "--scale", "1",
                                  "--format", "webp", "-o", folder, "--no-catalog"});
  REQUIRE(webp.exit_code == 0);
}

std::set<std::string> FailedPaths(const nlohmann::json& document) {
  std::set<std::string> paths;
  for (const auto& failed : document["failed"]) paths.insert(failed["path"]);
  return paths;
}

}  // namespace

TEST_CASE("a plan names what does not fit and the budget that would do, and the runs agree") {
  const TestFolder where;
  const std::string photos = where / "photos";
  MakePhotos(photos);
  const std::vector<std::string> command = {"dedup",        photos,   "--decode", "full",
                                            "--no-catalog", "--json", "-j2"};
  const auto with = [&](std::vector<std::string> words, const std::string& budget) {
    words.insert(words.end(), command.begin(), command.end());
    words.insert(words.end(), {"--memory", budget});
    return words;
  };

  const ProcessResult planned = Run(with({"plan"}, "80MiB"));
  INFO(planned.err);
  CHECK(planned.exit_code == 1);
  const nlohmann::json plan = Json(planned)["plan"];
  const ProcessResult ran = Run(with({}, "80MiB"));
  CHECK(ran.exit_code == 1);
  std::set<std::string> too_large;
  for (const auto& image : plan["too_large_images"]) too_large.insert(image["path"]);
  CHECK(too_large == std::set<std::string>{photos + "/large.webp"});
  CHECK(FailedPaths(Json(ran)) == too_large);
  CHECK(plan["images"] == Json(ran)["done"]);
  CHECK(plan["too_large"] == 1);

  const size_t enough = plan["enough_budget"].get<size_t>() >> 20;
  CHECK(Run(with({}, std::to_string(enough + kStartsApart) + "MiB")).exit_code == 0);
  CHECK(Run(with({}, std::to_string(enough - 2 * kStartsApart) + "MiB")).exit_code == 1);
}

TEST_CASE("the expected peak of a plan is near the one that the kernel measures") {
#ifdef __SANITIZE_THREAD__
  return;  // its own records are most of the process
#endif
  const TestFolder where;
  const std::string photos = where / "photos";
  MakePhotos(photos);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"dedup", photos, "--decode", "full", "--no-catalog"},
           {"filter", photos, "--keep", "sharpness>0", "--no-catalog"},
           {"tile", photos, "--size", "256", "-o", where / "tiles", "--no-catalog"}}) {
    CAPTURE(command.front());
    std::vector<std::string> plan = {"plan"};
    plan.insert(plan.end(), command.begin(), command.end());
    plan.emplace_back("--json");
    const size_t expected = Json(Run(plan))["plan"]["expected_peak"];
    const ProcessResult ran = Run(command);
    REQUIRE(ran.exit_code == 0);
    MESSAGE(command.front() << ": expected " << (expected >> 20) << " MiB, measured "
                            << (ran.peak_resident >> 20) << " MiB");
    // 94 of some 131 MiB are one picture's: without it a plan would be off by far more than this. What is
    // resident of the libraries differs from run to run, and small pictures may not overlap on a busy
    // machine.
    CHECK(static_cast<double>(ran.peak_resident) < 1.25 * static_cast<double>(expected));
    CHECK(static_cast<double>(ran.peak_resident) > 0.6 * static_cast<double>(expected));
  }
}

TEST_CASE("a plan leaves nothing behind, and of a pipeline it is the first step's") {
  const TestFolder where;
  CopySamples(where / "photos");
  const ProcessResult tile =
      Run({"plan", "tile", where / "photos", "--size", "64", "-o", where / "tiles", "--json"});
  CHECK(tile.exit_code == 0);
  const nlohmann::json plan = Json(tile)["plan"];
  CHECK(plan["images"].get<size_t>() + plan["giving_nothing"].get<size_t>() == CountFiles(where / "photos"));
  CHECK_FALSE(TestFolder::Exists(where / "tiles"));

  const ProcessResult wrong = Run({"plan", "dedpu", where / "photos"});
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.err.find("did you mean \"dedup\"") != std::string::npos);
  CHECK(Run({"plan", "doctor"}).exit_code == 2);
}

}  // namespace imgmill::process_test
