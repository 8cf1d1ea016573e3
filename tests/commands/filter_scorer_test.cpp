// filter with networks that judge images, as a user runs it: rules, exports, recall, what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "program.h"
#include "torch/golden_network.h"
#include "torch/tiny_clip.h"

namespace imgmill::process_test {
namespace {

std::vector<std::string> Plus(std::vector<std::string> command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

/// path and row of each line.
std::map<std::string, nlohmann::json> Rows(const std::string& file) {
  std::map<std::string, nlohmann::json> rows;
  std::istringstream lines(TestFolder::Read(file));
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json json = nlohmann::json::parse(line);
    rows[json["path"]] = json;
  }
  return rows;
}

FormulaWeights Head() {
  FormulaWeights head;
  head.Add("weight", {1, 512}, "weight");
  head.Add("bias", {1}, "bias");
  return head;
}

/// Neither LibTorch nor a network can be loaded.
ProcessOptions WithoutLibTorch() {
  ProcessOptions without;
  without.environment.push_back("IMGMILL_TORCH_MODULE=/nonexistent.so");
  return without;
}

}  // namespace

TEST_CASE("an aesthetic head's signal is its product with embed's vector, and is recalled without LibTorch") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  const WeightFolder heads, clips;
  const std::string head = Head().Write(heads), clip = TinyClip(512).Write(clips);
  CopySamples(where / "photos");
  const std::vector<std::string> scorer = {"--scorer", head, "--scorer-clip", clip};
  const std::vector<std::string> catalog = {"--catalog", where / "catalog", "--device", "cpu"};
  const auto filter = [&](const std::vector<std::string>& more, const ProcessOptions& options) {
    const ProcessResult result =
        Run(Plus(Plus(Plus({"filter", where / "photos"}, scorer), catalog), more), options);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result;
  };
  REQUIRE(Run(Plus({"embed", where / "photos", "--model", clip, "--activation", "quickgelu", "--export",
                    where / "v.jsonl"},
                   catalog),
              model.options)
              .exit_code == 0);
  filter({"--export", where / "s.jsonl", "-j1"}, model.options);
  Formula formula("weight");
  std::vector<double> weight(512);
  for (double& each : weight)
    each = static_cast<double>(static_cast<float>(formula.Next() * 3 / std::sqrt(512.0)));
  const double bias = Formula("bias").Next() * 3 / 4;
  const auto vectors = Rows(where / "v.jsonl"), rows = Rows(where / "s.jsonl");
  REQUIRE(rows.size() == 30);
  std::vector<double> scores;
  for (const auto& [path, row] : rows) {
    double score = bias;
    for (size_t i = 0; i < weight.size(); ++i)
      score += weight[i] * vectors.at(path)["vector"][i].get<double>();
    CHECK(row["aesthetic"].get<double>() == doctest::Approx(score).epsilon(1e-5));
    CHECK_FALSE(row.contains("complexity"));
    scores.push_back(row["aesthetic"]);
  }
  std::sort(scores.begin(), scores.end());
  CHECK(scores.back() - scores.front() > 0.05);  // or no rule could tell images apart

  // All of it is known now: rules and percentiles on it, exports, and copies.
  const std::string exported = TestFolder::Read(where / "s.jsonl");
  filter({"--export", where / "s.jsonl", "-j4"}, WithoutLibTorch());
  CHECK(TestFolder::Read(where / "s.jsonl") == exported);
  nlohmann::json json = Json(filter({"--keep", "aesthetic>p50", "--json"}, WithoutLibTorch()));
  CHECK(json["dropped"] == 15);
  CHECK(json["rules"][0]["signal"] == "aesthetic");
  CHECK(json["scorers"][0]["signal"] == "aesthetic");
  // Between the tenth and the eleventh.
  const std::string rule = "aesthetic<" + std::to_string((scores[9] + scores[10]) / 2);
  CHECK(Json(filter({"--drop", rule, "--json"}, WithoutLibTorch()))["dropped"] == 10);
  filter({"--force", "--export", where / "s.jsonl", "-j4", "--memory", "700MiB"}, model.options);
  CHECK(TestFolder::Read(where / "s.jsonl") == exported);

  // Another head's scores are not taken for this one's.
  FormulaWeights other;
  other.Add("bias", {1, 512}, "weight");
  other.Add("weight", {1}, "bias");
  const WeightFolder others;
  CHECK(Run(Plus({"filter", where / "photos", "--scorer", other.Write(others), "--scorer-clip", clip,
                  "--keep", "aesthetic>0"},
                 catalog),
            WithoutLibTorch())
            .exit_code == 3);
  // And signals of pixels are what they are without a network, of grey images and those with alpha, too.
  const ProcessResult plain =
      Run({"filter", where / "photos", "--export", where / "p.jsonl", "--no-catalog"}, WithoutLibTorch());
  CHECK(plain.exit_code == 0);
  for (const auto& [path, row] : Rows(where / "p.jsonl")) {
    nlohmann::json without = rows.at(path);
    without.erase("aesthetic");
    CHECK(without == row);
  }
}

TEST_CASE("watermark and NSFW scores come from one run, with rules, suggestions and an explanation") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  const WeightFolder detectors, heads, aesthetic_heads, clips;
  const auto golden = [](const std::string& name) {
    return ReadGolden(IMGMILL_SOURCE_DIR "/tests/golden/networks/" + name + ".csv").weights;
  };
  FormulaWeights head;  // on the same CLIP as the aesthetic one
  head.Add("mean", {512}, "norm.mean");
  head.Add("running_var", {512}, "norm.variance");
  int inputs = 512, number = 0;
  for (const int outputs : {8, 8, 1}) {
    const std::string name = "linear_" + std::to_string(++number) + ".";
    head.Add(name + "weight", {outputs, inputs}, name + "weight", 3);
    head.Add(name + "bias", {outputs}, name + "bias");
    inputs = outputs;
  }
  CopySamples(where / "photos");
  const std::vector<std::string> scorers = {"--scorer",      golden("watermark_detector").Write(detectors),
                                            "--scorer",      head.Write(heads),
                                            "--scorer",      Head().Write(aesthetic_heads),
                                            "--scorer-clip", TinyClip(512).Write(clips)};
  const std::vector<std::string> catalog = {"--catalog", where / "catalog", "--device", "cpu"};
  const auto filter = [&](const std::vector<std::string>& more, const ProcessOptions& options) {
    const ProcessResult result =
        Run(Plus(Plus(Plus({"filter", where / "photos"}, scorers), catalog), more), options);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result;
  };
  filter({"--export", where / "s.jsonl"}, model.options);
  const auto rows = Rows(where / "s.jsonl");
  REQUIRE(rows.size() == 30);
  std::map<std::string, std::set<double>> different;
  for (const auto& [path, row] : rows) {
    for (const char* signal : {"watermark", "nsfw"}) {
      const double score = row[signal];
      CHECK(score >= 0);
      CHECK(score <= 1);
      different[signal].insert(score);
    }
  }
  CHECK(different["watermark"].size() > 20);
  CHECK(different["nsfw"].size() > 20);
  // High is bad. No network is needed any more.
  const nlohmann::json suggested =
      Json(filter({"--suggest", "--suggest-share", "10", "--json"}, WithoutLibTorch()))["suggested"]["rules"];
  std::set<std::string> rules;
  for (const auto& each : suggested) rules.insert(each["rule"].get<std::string>().substr(0, 5));
  CHECK(rules.count("water") == 1);
  CHECK(rules.count("nsfw>") == 1);
  const std::string half = std::to_string(*std::next(different["watermark"].begin(), 10));
  const nlohmann::json kept =
      Json(filter({"--keep", "watermark<" + half, "--drop", "nsfw>2", "--keep", "aesthetic>p0", "--json"},
                  WithoutLibTorch()));
  CHECK(kept["kept"].get<int>() > 5);
  CHECK(kept["kept"].get<int>() < 25);
  const ProcessResult explained = filter({"--explain", rows.begin()->first, "--keep", "watermark<0.5",
                                          "--keep", "nsfw<0.5", "--keep", "aesthetic>0"},
                                         WithoutLibTorch());
  CHECK(explained.out.find("  watermark ") != std::string::npos);
  CHECK(explained.out.find("  nsfw ") != std::string::npos);

  // An NSFW network that looks at images itself has no use for a CLIP.
  const ProcessResult useless =
      Run({"filter", rows.begin()->first, "--no-catalog", "--scorer", golden("nsfw_timm").Write(detectors),
           "--scorer-clip", TinyClip(512).Write(clips), "--keep", "nsfw<0.5"},
          model.options);
  CHECK(useless.exit_code == 2);
  CHECK(useless.err.find("goes with a head that judges CLIP's vectors, and no --scorer is one") !=
        std::string::npos);
}

TEST_CASE("LAION's published heads judge images, as a step of a pipeline too") {
  const ModelParts model = FindModel();
  const std::string folder = model.missing.empty() ? std::string(std::getenv("IMGMILL_TEST_ASSETS")) +
                                                         "/weights/LAION-AI+aesthetic-predictor/"
                                                   : std::string();
  if (!model.missing.empty() || !TestFolder::Exists(folder)) {
    MESSAGE("SKIPPED: " << (model.missing.empty() ? "no " + folder : model.missing));
    return;
  }
  const TestFolder where;
  CopySamples(where / "photos");
  const WeightFolder clips;
  for (const auto& [file, dimension] : {std::pair{"sa_0_4_vit_b_32_linear.pth", 512},
                                        {"sa_0_4_vit_b_16_linear.pth", 512},
                                        {"sa_0_4_vit_l_14_linear.pth", 768}}) {
    const std::string clip = TinyClip(dimension).Write(clips);
    const std::string pipeline = where.Write(
        "p.yaml", "input: photos\noutput: out\nsteps:\n  - filter:\n      scorer: " + folder + file +
                      "\n      scorer-clip: " + clip + "\n      keep: aesthetic>p20\n  - dedup:\n");
    const ProcessResult result =
        Run({"run", pipeline, "--json", "--force", "--device", "cpu"}, model.options);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK(Json(result)["steps"][0]["dropped"] == 6);
  }
}

TEST_CASE("what is wrong with a scorer, or with a rule that needs one, is said") {
  const ModelParts model = FindModel();
  const TestFolder where;
  const std::string picture = SampleData() + "/icon_tiny.png";
  const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& words) {
    const ProcessResult result = Run(Plus({"filter", picture, "--no-catalog"}, more), model.options);
    INFO(result.err);
    CHECK(result.exit_code == code);
    CHECK(result.err.find(words) != std::string::npos);
  };
  refused({"--keep", "aesthetic>5"}, 2,
          "--keep \"aesthetic>5\": aesthetic comes from a network: give its weights with --scorer FILE, and "
          "CLIP's with --scorer-clip FILE");
  refused({"--drop", "complexity>p90"}, 2,
          "complexity comes from a network: give its weights with --scorer FILE");
  refused({"--drop", "nsfw>0.5"}, 2,
          "nsfw comes from a network: give its weights with --scorer FILE, and, for a head, CLIP's with "
          "--scorer-clip FILE");
  refused({"--scorer", where / "none", "--keep", "hyperiqa>1"}, 2, "none: the model cannot be opened");
  refused({"--scorer-clip", picture, "--keep", "width>1"}, 2, "--scorer-clip goes with --scorer FILE");
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const WeightFolder heads, others, clips;
  const std::string head = Head().Write(heads), clip = TinyClip(512).Write(clips);
  refused({"--scorer", head, "--keep", "aesthetic>5"}, 3, "give CLIP's weights, too, with --scorer-clip");
  refused({"--scorer", head, "--scorer-clip", TinyClip(64).Write(others), "--keep", "aesthetic>5"}, 3,
          "its vectors have 64 numbers");
  refused({"--scorer", head, "--scorer-clip", clip, "--keep", "hyperiqa>5"}, 2,
          "hyperiqa comes from a network: give its weights with --scorer FILE");
  refused({"--scorer", head, "--scorer-clip", clip, "--keep", "width>5"}, 2,
          "gives the signal aesthetic, which no rule is about");
  refused({"--scorer", head, "--scorer", head, "--scorer-clip", clip, "--keep", "aesthetic>5"}, 2,
          "both give the signal aesthetic");
  refused({"--scorer", clip, "--keep", "aesthetic>5"}, 3, "use embed --model");
  refused({"--scorer", model.weights, "--keep", "aesthetic>5"}, 3, "use upscale --model");
  // Finite weights, and yet no finite score.
  FormulaWeights huge;
  int inputs = 512;
  for (const auto& [name, outputs] :
       {std::pair{"layers.0.", 2}, {"layers.2.", 2}, {"layers.4.", 2}, {"layers.6.", 2}, {"layers.7.", 1}}) {
    const std::string layer = name;
    huge.AddValues(std::vector<float>(static_cast<size_t>(inputs * outputs), 3e38F),
                   std::to_string(outputs) + "," + std::to_string(inputs), layer + "weight");
    huge.AddValues(std::vector<float>(static_cast<size_t>(outputs), 3e38F), std::to_string(outputs),
                   layer + "bias");
    inputs = outputs;
  }
  refused({"--scorer", huge.Write(others), "--scorer-clip", clip, "--keep", "aesthetic>5"}, 1,
          "gives a score that is no finite number");
}

}  // namespace imgmill::process_test
