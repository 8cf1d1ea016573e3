// LPIPS of pairs, larger than a tile and smaller, as a user asks compare for it.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "drawn_picture.h"
#include "metrics/drawn_pair.h"
#include "program.h"
#include "torch/golden_network.h"
#include "torch/tiny_clip.h"

namespace imgmill::process_test {
namespace {

const std::string kGolden = IMGMILL_SOURCE_DIR "/tests/golden/";

/// By lpips 0.1.4 in double precision, on the whole pictures: tests/golden/make_lpips_pairs.py.
struct GoldenPair {
  std::string network;
  int64_t width = 0, height = 0;
  double distance = 0;
};

std::vector<GoldenPair> GoldenPairs() {
  std::vector<GoldenPair> pairs;
  std::ifstream file(kGolden + "lpips_pairs.csv");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    GoldenPair pair;
    std::istringstream fields(line);
    char comma = 0;
    std::getline(fields, pair.network, ',');
    fields >> pair.width >> comma >> pair.height >> comma >> pair.distance;
    pairs.push_back(pair);
  }
  return pairs;
}

std::string NameOf(const GoldenPair& pair) {
  return std::to_string(pair.width) + "x" + std::to_string(pair.height) + ".png";
}

Drawing By(int64_t (*sample)(int64_t, int64_t, int64_t)) {
  return [sample](int64_t x, int64_t y, int band) { return static_cast<double>(sample(x, y, band)); };
}

void DrawPair(const TestFolder& where, const std::string& name, int64_t width, int64_t height,
              int bands = 3) {
  WritePicture(where / "a/" + name, Draw(width, height, bands, By(FirstSample)));
  WritePicture(where / "b/" + name, Draw(width, height, bands, By(SecondSample)));
}

}  // namespace

TEST_CASE("LPIPS of pairs is the package's, on three networks, in one tile and in several") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  std::map<std::string, std::map<std::string, double>> expected;
  for (const GoldenPair& pair : GoldenPairs()) {
    expected[pair.network][NameOf(pair)] = pair.distance;
    DrawPair(where, NameOf(pair), pair.width, pair.height);
  }
  REQUIRE(expected.size() == 3);
  for (const auto& [network, distances] : expected) {
    CAPTURE(network);
    const WeightFolder folder;
    const std::string weights = ReadGolden(kGolden + "networks/" + network + ".csv").weights.Write(folder);
    const auto compare = [&](const std::string& workers) {
      const ProcessResult result = Run({"compare", where / "a", where / "b", "--metrics", "psnr", "--lpips",
                                        weights, "--device", "cpu", "--no-catalog", "--json", workers},
                                       model.options);
      INFO(result.err);
      REQUIRE(result.exit_code == 0);
      return Json(result);
    };
    const nlohmann::json document = compare("-j1");
    CHECK(document["lpips_model"] == weights);
    REQUIRE(document["pairs"].size() == distances.size());
    for (const auto& pair : document["pairs"]) {
      const std::string name = std::filesystem::path(pair["path"].get<std::string>()).filename();
      CAPTURE(name);
      CHECK(pair["lpips"].get<double>() == doctest::Approx(distances.at(name)).epsilon(2e-6));
    }
    CHECK(compare("-j4")["pairs"] == document["pairs"]);
  }
}

TEST_CASE("LPIPS of equal, grey, tiny and shifted images, its limit, and recall without LibTorch") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  const WeightFolder folder;
  const std::string weights = ReadGolden(kGolden + "networks/lpips_alex.csv").weights.Write(folder);
  DrawPair(where, "grey.png", 90, 70, 1);
  // The same values in three bands.
  for (const char* side : {"a", "b"}) {
    const auto sample = side[0] == 'a' ? FirstSample : SecondSample;
    WritePicture(where / (std::string(side) + "/rgb.png"), Draw(90, 70, 3, [&](int64_t x, int64_t y, int) {
                   return static_cast<double>(sample(x, y, 0));
                 }));
    WritePicture(where / (std::string(side) + "/same.png"), Draw(64, 48, 3, By(FirstSample)));
    WritePicture(where / (std::string(side) + "/tiny.png"), Draw(31, 48, 3, By(FirstSample)));
  }
  const auto compare = [&](const std::vector<std::string>& more, const ProcessOptions& options, int exit) {
    std::vector<std::string> arguments = {"compare", where / "a", where / "b",       "--lpips",
                                          weights,   "--catalog", where / "catalog", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = Run(arguments, options);
    INFO(result.err);
    CHECK(result.exit_code == exit);
    return Json(result);
  };
  const nlohmann::json first = compare({}, model.options, 0);
  std::map<std::string, nlohmann::json> pairs;
  for (const auto& pair : first["pairs"])
    pairs[std::filesystem::path(pair["path"].get<std::string>()).filename()] = pair["lpips"];
  REQUIRE(pairs.size() == 4);
  CHECK(pairs["same.png"] == 0);
  CHECK(pairs["tiny.png"].is_null());
  CHECK(pairs["grey.png"].get<double>() > 0);
  CHECK(pairs["grey.png"] == pairs["rgb.png"]);

  ProcessOptions without;
  without.environment.push_back("IMGMILL_TORCH_MODULE=/nonexistent.so");
  CHECK(compare({}, without, 0)["pairs"] == first["pairs"]);
  // One without a figure cannot show that it keeps the limit.
  const nlohmann::json limited = compare({"--fail-above", "lpips=1000"}, without, 4);
  CHECK(limited["broken"] == 1);
}

TEST_CASE("what is wrong with --lpips is said before an image is read") {
  const TestFolder where;
  DrawPair(where, "one.png", 40, 40);
  const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& words,
                           const ProcessOptions& options) {
    std::vector<std::string> arguments = {"compare", where / "a", where / "b", "--no-catalog"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = Run(arguments, options);
    INFO(result.err);
    CHECK(result.exit_code == code);
    CHECK(result.err.find(words) != std::string::npos);
    CHECK(result.out.empty());
  };
  refused({"--metrics", "lpips"}, 2, "give its --lpips FILE", {});
  refused({"--fail-above", "lpips=0.5"}, 2, "give its --lpips FILE", {});
  refused({"--fail-below", "lpips=0.5", "--lpips", "x"}, 2, "less is better", {});
  refused({"--lpips", where / "none.pth"}, 2, "none.pth: the weight file cannot be opened", {});
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const WeightFolder folder;
  refused({"--lpips", TinyClip(512).Write(folder)}, 3, "use embed --model", model.options);
  refused({"--lpips", model.weights}, 3, "use upscale --model", model.options);
}

}  // namespace imgmill::process_test
