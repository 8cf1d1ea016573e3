// Networks that judge images: heads on CLIP's vectors, classes, and what is said where something does not go
// together.
#include <cmath>

#include "torch/architectures/architecture.h"
#include "torch/golden_network.h"
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

/// Adds the layer `name` of those that Layer() computes.
void AddLayer(FormulaWeights& weights, const std::string& name, int outputs, int inputs) {
  weights.Add(name + "weight", {outputs, inputs}, name + "weight");
  weights.Add(name + "bias", {outputs}, name + "bias");
}

std::vector<double> CutOff(std::vector<double> values) {
  for (double& each : values) each = std::max(each, 0.0);
  return values;
}

Golden GoldenOf(const std::string& name) {
  return ReadGolden(std::string(IMGMILL_SOURCE_DIR "/tests/golden/networks/") + name + ".csv");
}

/// What is said of a case's weights once they were changed.
template <typename Change>
std::string Refusal(const std::string& name, const WeightFolder& folder, const Change& change) {
  Result<StateDict> read = ReadStateDict(GoldenOf(name).weights.Write(folder));
  REQUIRE(read.ok());
  change(*read);
  const Result<const Architecture*> found = DetectArchitecture(*read);
  if (!found) return found.error().message;
  const auto loaded = (*found)->Load(std::make_shared<StateDict>(*std::move(read)), ModelInfo{});
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == Code::kModelError);
  return loaded.error().message;
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

TEST_CASE("NSFW heads judge normalised vectors of OpenAI's CLIP, and vectors of OpenCLIP's ViT-H/14") {
  const WeightFolder folder, heads;
  Runtime runtime;
  const std::string clip = TinyClip(768).Write(folder);
  const auto vector = [&](const std::string& activation) {
    const auto tower = runtime.Load(clip, {.activation = activation});
    if (!tower) FAIL(tower.error().message);
    return OfLengthOne(Run(**tower, kTinyClipSide));
  };
  const auto score = [&](const FormulaWeights& weights) {
    const auto head = runtime.Load(weights.Write(heads), {.task = ModelTask::kScore, .clip = clip});
    if (!head) FAIL(head.error().message);
    CHECK((*head)->info().score == "nsfw");
    CHECK((*head)->info().architecture == "NSFW head on CLIP vectors of 768");
    return static_cast<double>(Run(**head, kTinyClipSide)[0]);
  };

  // By the formulas of the published form, in double.
  FormulaWeights normalised;
  normalised.Add("mean", {768}, "norm.mean");
  normalised.Add("running_var", {768}, "norm.variance");
  const std::vector<double> means = Values("mean", 768, 3 / 4.0);
  const std::vector<double> variances = Values("running_var", 768, 3 / 4.0);
  std::vector<double> x = vector("quickgelu");
  for (size_t i = 0; i < x.size(); ++i) x[i] = (x[i] - means[i]) / std::sqrt(std::abs(variances[i]) + 0.5);
  int inputs = 768, number = 0;
  for (const int outputs : {12, 20, 9, 1}) {
    const std::string name = "linear_" + std::to_string(++number) + ".";
    AddLayer(normalised, name, outputs, inputs);
    x = Layer(name, x, static_cast<size_t>(outputs));
    if (outputs > 1) x = CutOff(x);
    inputs = outputs;
  }
  const double expected = 1 / (1 + std::exp(-x[0]));
  CHECK(std::abs(expected - 0.5) < 0.45);  // or the sigmoid would hide what differs
  CHECK(score(normalised) == doctest::Approx(expected).epsilon(1e-5));

  FormulaWeights numbered;
  x = vector("gelu");
  inputs = 768;
  for (const auto& [place, outputs] :
       {std::pair{0, 16}, {3, 24}, {6, 16}, {9, 12}, {12, 10}, {15, 6}, {16, 1}}) {
    const std::string name = "layers." + std::to_string(place) + ".";
    AddLayer(numbered, name, outputs, inputs);
    x = Layer(name, x, static_cast<size_t>(outputs));
    if (place < 15) x = CutOff(x);
    inputs = outputs;
  }
  CHECK(score(numbered) == doctest::Approx(x[0]).epsilon(1e-5));
}

TEST_CASE("what is wrong with an NSFW head is said") {
  const WeightFolder folder;
  Runtime runtime;
  const auto refused = [&](int last, const std::string& left_out, const std::vector<float>& variances,
                           const std::string& words) {
    FormulaWeights weights;
    weights.Add("mean", {512}, "norm.mean");
    if (!variances.empty()) weights.AddValues(variances, std::to_string(variances.size()), "norm.variance");
    int inputs = 512, number = 0;
    for (const int outputs : {8, 6, last}) {
      const std::string name = "linear_" + std::to_string(++number) + ".";
      if (name != left_out) AddLayer(weights, name, outputs, inputs);
      inputs = outputs;
    }
    const auto loaded = runtime.Load(weights.Write(folder), {.task = ModelTask::kScore});
    REQUIRE_FALSE(loaded.ok());
    INFO(loaded.error().message);
    CHECK(loaded.error().code == Code::kModelError);
    CHECK(loaded.error().message.find(words) != std::string::npos);
  };
  const std::vector<float> ones(512, 1);
  refused(2, "", ones, "its last layer gives 2 numbers, not one score");
  refused(1, "", {}, "norm.variance");
  refused(1, "", std::vector<float>(511, 1), "norm.variance");
  refused(1, "", std::vector<float>(512, -1), "norm.variance has negative numbers");
  refused(1, "linear_2.", ones, "linear_2.weight");
  refused(1, "", ones, "vectors of CLIP of 512 numbers: give CLIP's weights, too, with --scorer-clip");
}

TEST_CASE("classes are those of the published weights, unless the file says otherwise") {
  const WeightFolder folder, other;
  Runtime runtime;
  for (const auto& [name, usual] : {std::pair{"nsfw_hugging_face", 1}, {"nsfw_timm", 0}}) {
    CAPTURE(name);
    const auto score = [&](const std::string& told) {
      Golden golden = GoldenOf(name);
      if (!told.empty()) golden.weights.AddMetadata("nsfw_class", told);
      const auto model = runtime.Load(golden.weights.Write(folder), {.task = ModelTask::kScore});
      if (!model) FAIL(model.error().message);
      CHECK((*model)->info().score == "nsfw");
      CHECK((*model)->info().assumed.empty() == !told.empty());
      return static_cast<double>(Run(**model, golden.height)[0]);
    };
    const double as_published = score("");
    CHECK(score(std::to_string(usual)) == as_published);
    CHECK(score(std::to_string(1 - usual)) == doctest::Approx(1 - as_published).epsilon(1e-5));
    Golden golden = GoldenOf(name);
    golden.weights.AddMetadata("nsfw_class", "nsfw");
    const auto model = runtime.Load(golden.weights.Write(other), {.task = ModelTask::kScore});
    REQUIRE_FALSE(model.ok());
    CHECK(model.error().message.find("neither 0 nor 1") != std::string::npos);
  }
}

TEST_CASE(
    "classifiers are shown images as their authors do; one of other classes, or of fewer layers, is "
    "refused") {
  const WeightFolder folder;
  Runtime runtime;
  const auto input = [&](const std::string& name) {
    const auto model = runtime.Load(GoldenOf(name).weights.Write(folder), {.task = ModelTask::kScore});
    if (!model) FAIL(model.error().message);
    return *(*model)->info().input;
  };
  const ModelInput watermark = input("watermark_detector");
  CHECK(watermark.side == 256);
  CHECK(watermark.rule == SquareRule::kSquash);
  CHECK(watermark.filter == ResizeFilter::kTriangle);
  const ModelInput squashed = input("nsfw_hugging_face"), cut = input("nsfw_timm");
  CHECK(squashed.side == 32);
  CHECK(squashed.rule == SquareRule::kSquash);
  CHECK(squashed.filter == ResizeFilter::kTriangle);
  CHECK(cut.side == 48);
  CHECK(cut.rule == SquareRule::kShorter);
  CHECK(cut.shorter == 48);
  CHECK(cut.filter == ResizeFilter::kCubic);

  const auto shaped = [](const std::string& name, const std::vector<int64_t>& shape) {
    return [=](StateDict& weights) { weights.tensors.at(name).shape = shape; };
  };
  const auto without = [](const std::string& name) {
    return [=](StateDict& weights) { REQUIRE(weights.tensors.erase(name) == 1); };
  };
  const auto says = [](const std::string& refusal, const std::string& words) {
    CAPTURE(refusal);
    CHECK(refusal.find(words) != std::string::npos);
  };
  says(Refusal("watermark_detector", folder, shaped("classifier.5.weight", {3, 16})),
       "classifier.5, tells 3 classes apart, not the two of watermarked and clear images");
  says(Refusal("watermark_detector", folder, without("classifier.3.weight")),
       "classifier.3.weight is missing");
  says(Refusal("watermark_detector", folder, without("blocks.2.1.se.conv_expand.weight")),
       "blocks.2.1.se.conv_expand.weight");
  says(Refusal("nsfw_hugging_face", folder, shaped("classifier.weight", {4, 64})),
       "its classifier tells 4 classes apart, not the two of images that are safe for work or not");
  says(Refusal("nsfw_timm", folder, shaped("head.weight", {4, 64})),
       "the nearest is NSFW ViT: patch_embed.proj.weight, blocks.0.attn.qkv.weight, pos_embed, head.weight "
       "would be its own, but shapes or other tensors do not fit");
  says(Refusal("nsfw_timm", folder, without("blocks.1.mlp.fc2.weight")), "blocks.1.mlp.fc2.weight");
}
