// dedup with a second look by LPIPS, as a user runs it: thresholds, recall, what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "program.h"
#include "torch/tiny_clip.h"
#include "torch/tiny_lpips.h"

namespace imgmill::process_test {
namespace {

std::vector<std::string> Plus(std::vector<std::string> command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

/// path and distance of all that are duplicates of others.
std::map<std::string, double> Duplicates(const nlohmann::json& json) {
  std::map<std::string, double> found;
  for (const nlohmann::json& group : json["groups"]) {
    for (size_t i = 1; i < group["images"].size(); ++i)
      found[group["images"][i]["path"]] = group["images"][i]["distance"];
  }
  return found;
}

}  // namespace

TEST_CASE("LPIPS tells apart what phash finds, and is recalled without LibTorch") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  const WeightFolder folder;
  const std::string weights = TinyLpips().Write(folder);
  CopySamples(where / "photos");
  const std::vector<std::string> command = {"dedup", where / "photos", "--json",         "--device",
                                            "cpu",   "--catalog",      where / "catalog"};
  const auto dedup = [&](const std::vector<std::string>& more, const ProcessOptions& options) {
    const ProcessResult result = Run(Plus(command, more), options);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return Json(result);
  };
  const std::vector<std::string> lpips = {"--method", "lpips", "--model", weights, "--max-distance", "24"};
  ProcessOptions without;
  without.environment.push_back("IMGMILL_TORCH_MODULE=/nonexistent.so");

  const std::map<std::string, double> near =
      Duplicates(dedup({"--max-distance", "24", "--no-verify"}, without));
  const nlohmann::json all = dedup(Plus(lpips, {"--max-lpips", "1000", "-j1"}), model.options);
  CHECK(all["max_lpips"] == 1000);
  CHECK(all["max_distance"] == 24);
  CHECK(all["model"] == weights);
  const std::map<std::string, double> far = Duplicates(all);
  // With everything let through, the second look changes nothing but distances.
  REQUIRE(far.size() == near.size());
  std::vector<double> distances;
  for (const auto& [path, distance] : far) {
    CHECK(near.count(path) == 1);
    if (distance > 0) distances.push_back(distance);
  }
  std::sort(distances.begin(), distances.end());
  REQUIRE(distances.size() > 2);

  // Vectors are in the catalog, and so is what the network takes.
  CHECK(Duplicates(dedup(Plus(lpips, {"--max-lpips", "1000", "-j4"}), without)) == far);
  for (const auto& [path, distance] : Duplicates(dedup(Plus(lpips, {"--max-lpips", "0"}), without)))
    CHECK(distance == 0);
  const double least = distances.front();
  for (const double limit : {least * 0.999, least * 1.001, distances[1] * 1.001}) {
    const auto found = Duplicates(dedup(Plus(lpips, {"--max-lpips", std::to_string(limit)}), without));
    CHECK(found.size() < far.size());
    for (const auto& [path, distance] : found) CHECK(distance <= limit);
    // Whoever is within the limit of a keeper that all share stays.
    CHECK(found.size() >= static_cast<size_t>(std::count_if(distances.begin(), distances.end(),
                                                            [&](double each) { return each <= limit; })));
  }
  CHECK(
      Run(Plus(command, {"--method", "lpips", "--model", TinyClip(512).Write(folder)}), without).exit_code ==
      3);
}

TEST_CASE("what is wrong with LPIPS or its weights is said") {
  const TestFolder where;
  const ModelParts model = FindModel();
  const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& words) {
    const ProcessResult result =
        Run(Plus({"dedup", SampleData(), "--no-catalog", "--method", "lpips"}, more), model.options);
    INFO(result.err);
    CHECK(result.exit_code == code);
    CHECK(result.err.find(words) != std::string::npos);
  };
  refused({}, 2, "--method lpips needs its weights");
  refused({"--model", where / "none"}, 2, "cannot be opened");
  const WeightFolder folder, other;
  const std::string weights = TinyLpips().Write(folder);
  refused({"--model", weights, "--max-lpips", "-1"}, 2, "--max-lpips takes 0 or more");
  refused({"--model", weights, "--input-size", "64"}, 2, "give --model FILE alone");
  CHECK(Run({"dedup", SampleData(), "--model", weights}).err.find("embedding or lpips") != std::string::npos);
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  refused({"--model", TinyClip(512).Write(other)}, 3, "use embed --model");
  const ProcessResult embed =
      Run({"embed", SampleData(), "--model", weights, "--no-catalog", "--export", where / "v.csv"},
          model.options);
  CHECK(embed.exit_code == 3);
  CHECK(embed.err.find("compares images (LPIPS on AlexNet): use compare --lpips, or dedup --method lpips") !=
        std::string::npos);
  // The heads alone, as the package has them.
  FormulaWeights heads;
  heads.Add("lin0.model.1.weight", {1, 64, 1, 1}, "lin0.model.1.weight");
  refused({"--model", heads.Write(other)}, 3, "net.slice1.0.weight");
  // A negative weight makes it no distance.
  refused({"--model", TinyLpips(/*below_zero=*/true).Write(other)}, 3, "weights below 0");
}

}  // namespace imgmill::process_test
