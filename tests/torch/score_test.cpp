// Heads that judge CLIP's vectors, and what is said where something does not go together.
#include <cmath>

#include "torch/formula_weights.h"
#include "torch/runtime.h"
#include "torch/tiny_clip.h"

using namespace imgmill;

namespace {

struct Runtime {
  Runtime() : manager(*MemoryManager::Create({})), runtime(MakeTorchRuntime(*manager, 2)) {
    REQUIRE(runtime->AddDevices("cpu", 0).ok());
  }
  Result<std::unique_ptr<EmbeddingModel>> Load(const std::string& path, const EmbedderRequest& request) {
    return runtime->LoadEmbedder(path, request);
  }
  std::unique_ptr<MemoryManager> manager;
  std::unique_ptr<ModelRuntime> runtime;
};

std::vector<float> Run(EmbeddingModel& model, int side) {
  Formula formula("input");
  std::vector<float> input(static_cast<size_t>(3 * side * side));
  for (float& each : input) each = static_cast<float>(4 * formula.Next());
  std::vector<float> output(model.OutputFloats(side, side));
  REQUIRE(model.Forward(input.data(), output.data(), 1, side, side, WorkPlace::Device(0)));
  return output;
}

std::vector<double> Values(const std::string& name, size_t count, double factor) {
  Formula formula(name);
  std::vector<double> values(count);
  // As FormulaWeights writes them: in float.
  for (double& each : values) each = static_cast<double>(static_cast<float>(formula.Next() * factor));
  return values;
}

/// y = W x + b, of a layer that FormulaWeights made.
std::vector<double> Layer(const std::string& name, const std::vector<double>& x, size_t outputs) {
  const std::vector<double> weight =
      Values(name + "weight", outputs * x.size(), 3 / std::sqrt(static_cast<double>(x.size())));
  std::vector<double> y = Values(name + "bias", outputs, 3 / 4.0);
  for (size_t i = 0; i < outputs; ++i) {
    for (size_t j = 0; j < x.size(); ++j) y[i] += weight[i * x.size() + j] * x[j];
  }
  return y;
}

std::vector<double> OfLengthOne(const std::vector<float>& vector) {
  double squares = 0;
  for (const float each : vector) squares += static_cast<double>(each) * static_cast<double>(each);
  std::vector<double> unit;
  for (const float each : vector) unit.push_back(static_cast<double>(each) / std::sqrt(squares));
  return unit;
}

}  // namespace

TEST_CASE("heads judge the vector of length 1 of a CLIP with QuickGELU") {
  const WeightFolder folder, heads, improved;
  Runtime runtime;
  const std::string clip = TinyClip(768).Write(folder);
  const auto tower = runtime.Load(clip, {.activation = "quickgelu"});
  if (!tower) FAIL(tower.error().message);
  const std::vector<double> vector = OfLengthOne(Run(**tower, kTinyClipSide));

  FormulaWeights linear;
  linear.Add("weight", {1, 768}, "weight");
  linear.Add("bias", {1}, "bias");
  const auto head = runtime.Load(linear.Write(heads), {.task = ModelTask::kScore, .clip = clip});
  if (!head) FAIL(head.error().message);
  CHECK((*head)->info().score == "aesthetic");
  CHECK((*head)->info().dimension == 1);
  CHECK((*head)->info().input->Describe() == (*tower)->info().input->Describe());
  CHECK((*head)->info().weight_bytes > (*tower)->info().weight_bytes);
  const double score = Layer("", vector, 1)[0];
  CHECK(static_cast<double>(Run(**head, kTinyClipSide)[0]) == doctest::Approx(score).epsilon(1e-5));
  // QuickGELU is what differs from what the same file is to embed.
  const auto other = runtime.Load(clip, {});
  REQUIRE(other.ok());
  CHECK(std::abs(Layer("", OfLengthOne(Run(**other, kTinyClipSide)), 1)[0] - score) > 2e-5);

  // Nothing but dense layers, one after the other.
  FormulaWeights five;
  const std::vector<std::pair<std::string, int>> layers = {
      {"layers.0.", 1024}, {"layers.2.", 128}, {"layers.4.", 64}, {"layers.6.", 16}, {"layers.7.", 1}};
  std::vector<double> expected = vector;
  int inputs = 768;
  for (const auto& [name, outputs] : layers) {
    five.Add(name + "weight", {outputs, inputs}, name + "weight");
    five.Add(name + "bias", {outputs}, name + "bias");
    expected = Layer(name, expected, static_cast<size_t>(outputs));
    inputs = outputs;
  }
  const auto deep = runtime.Load(five.Write(improved), {.task = ModelTask::kScore, .clip = clip});
  if (!deep) FAIL(deep.error().message);
  CHECK(static_cast<double>(Run(**deep, kTinyClipSide)[0]) == doctest::Approx(expected[0]).epsilon(1e-4));
}

TEST_CASE("what is wrong with a head or its CLIP is said") {
  const WeightFolder folder, other;
  Runtime runtime;
  FormulaWeights linear;
  linear.Add("weight", {1, 768}, "weight");
  linear.Add("bias", {1}, "bias");
  const std::string head = linear.Write(folder);
  const auto refused = [&](const EmbedderRequest& request, const std::string& words) {
    const auto loaded = runtime.Load(head, request);
    REQUIRE_FALSE(loaded.ok());
    INFO(loaded.error().message);
    CHECK(loaded.error().code == Code::kModelError);
    CHECK(loaded.error().message.find(words) != std::string::npos);
  };
  refused({.task = ModelTask::kScore},
          "vectors of CLIP of 768 numbers: give CLIP's weights, too, with --scorer-clip");
  refused({.task = ModelTask::kScore, .clip = TinyClip(512).Write(other)},
          "its vectors have 512 numbers, and the head of --scorer takes 768");
  refused({.task = ModelTask::kScore, .clip = head}, "judges images (aesthetic head on CLIP vectors of 768)");
  refused({}, "judges images (aesthetic head on CLIP vectors of 768): use filter --scorer");
  const auto tower = runtime.Load(TinyClip(512).Write(other), {.task = ModelTask::kScore});
  REQUIRE_FALSE(tower.ok());
  CHECK(tower.error().message.find("use embed --model") != std::string::npos);
  // As `imgmill models` looks at it.
  const auto looked = runtime.runtime->LoadToLook(head);
  REQUIRE(looked.ok());
  CHECK((*looked)->info().score == "aesthetic");
  CHECK_FALSE((*looked)->info().input.has_value());
  // A network that is not finite says so.
  FormulaWeights broken;
  broken.AddValues({NAN}, "1", "bias");
  broken.Add("weight", {1, 768}, "weight");
  const auto no_number = runtime.Load(broken.Write(folder), {.task = ModelTask::kScore});
  REQUIRE_FALSE(no_number.ok());
  CHECK(no_number.error().message.find("bias") != std::string::npos);
}
