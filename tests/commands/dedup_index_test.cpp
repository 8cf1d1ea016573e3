// dedup among so many images that lists of vectors are worth making.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "commands/dedup/dedup_groups.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

/// Small pictures of waves; each fourth is an earlier one, a little brighter.
void DrawWaves(const std::string& folder, size_t count) {
  std::filesystem::create_directories(folder);
  std::mt19937 random(7);
  std::uniform_real_distribution<double> number(0, 1);
  struct Waves {
    double x[3], y[3], phase[3];
  };
  std::vector<Waves> drawn;
  for (size_t i = 0; i < count; ++i) {
    Waves waves{};
    for (int k = 0; k < 3; ++k)
      waves.x[k] = number(random) * 1.2 - 0.6, waves.y[k] = number(random) * 1.2 - 0.6,
      waves.phase[k] = number(random) * 6.3;
    const bool copy = i % 4 == 3;
    if (copy) waves = drawn[random() % drawn.size()];
    drawn.push_back(waves);
    std::string pixels = "P5 24 24 255\n";
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 24; ++x) {
        double level = copy ? 128 + static_cast<double>(i % 9) : 120;
        for (int k = 0; k < 3; ++k) level += 36 * std::sin(waves.x[k] * x + waves.y[k] * y + waves.phase[k]);
        pixels += static_cast<char>(static_cast<uint8_t>(std::clamp(level, 0.0, 255.0)));
      }
    }
    std::ofstream(folder + "/" + std::to_string(100'000 + i) + ".pgm", std::ios::binary) << pixels;
  }
}

}  // namespace

TEST_CASE("ivf finds the groups that comparing all vectors finds, and says how many of the pairs it found") {
  const TestFolder where;
  DrawWaves(where / "photos", VectorSearch::kIvfFrom + 600);  // some have no contrast to speak of
  const std::vector<std::string> command = {"dedup",     where / "photos",   "--catalog",
                                            where / "c", "--method",         "embedding",
                                            "--json",    "--min-similarity", "0.95"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = command;
    all.insert(all.end(), more.begin(), more.end());
    return Run(all);
  };
  const nlohmann::json exact = Json(with({"--no-verify"}));
  CHECK_FALSE(exact.contains("index"));
  REQUIRE(exact["groups"].size() > 1'000);

  const ProcessResult run = with({"--no-verify", "--index", "ivf", "--jobs", "1"});
  const nlohmann::json ivf = Json(run);
  CHECK(ivf["index"]["name"] == "ivf");
  CHECK(ivf["index"]["lists"] >= 199);
  CHECK(ivf["index"]["sampled_vectors"] == 256);
  CHECK(ivf["index"]["sampled_pairs"] > 20);
  CHECK(ivf["index"]["sampled_pairs_found"] >= ivf["index"]["sampled_pairs"].get<double>() * 0.99);
  CHECK(run.err.find("; ivf finds ") != std::string::npos);
  CHECK(ivf["duplicates"] <= exact["duplicates"]);
  CHECK(ivf["duplicates"] >= exact["duplicates"].get<double>() * 0.98);
  CHECK(Json(with({"--no-verify", "--index", "ivf", "--jobs", "2"}))["groups"] == ivf["groups"]);
}

TEST_CASE("few vectors are compared exactly, whatever index was asked for") {
  const TestFolder where;
  CopySamples(where / "photos");
  const nlohmann::json few = Json(
      Run({"dedup", where / "photos", "--method", "embedding", "--index", "ivf", "--json", "--no-catalog"}));
  CHECK_FALSE(few.contains("index"));
}

}  // namespace imgmill::process_test
