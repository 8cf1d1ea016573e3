// CLIP as OpenAI published it: a TorchScript program of an image and a text, of which the image tower's
// weights are wanted.
#include <cmath>

#include "networks/weights/state_dict.h"
#include "torch/checkpoint_builder.h"
#include "torch/formula_weights.h"
#include "torch/runtime.h"

using namespace imgmill;
using namespace pickled;

namespace {

std::string Object(const std::string& type, const std::vector<std::pair<std::string, std::string>>& members) {
  return Global("__torch__." + type, type) + ")\x81" + Dict(members) + "b";
}

/// A program with these attributes, and a storage of six floats.
std::string Program(const std::vector<std::pair<std::string, std::string>>& attributes) {
  const std::string pickle = "\x80\x02" + Object("Net", attributes) + ".";
  return Zip({{"a/data.pkl", pickle},
              {"a/code/__torch__/Net.py", "..."},
              {"a/constants.pkl", "\x80\x02)."},
              {"a/data/0", std::string(24, 'x')}});
}

/// The largest difference of `vector` from that file's.
double Difference(const std::string& file, const std::vector<float>& vector) {
  std::ifstream golden(file);
  std::vector<double> expected;
  for (double value = 0; golden >> value;) expected.push_back(value);
  REQUIRE(expected.size() == vector.size());
  double largest = 0;
  for (size_t i = 0; i < vector.size(); ++i)
    largest = std::max(largest, std::abs(expected[i] - static_cast<double>(vector[i])));
  return largest;
}

const std::string kWeight = Tensor(Storage("0", 6), 0, {2, 3}, {3, 1});

}  // namespace

TEST_CASE("a program of both of CLIP's towers is read for its weights, whatever else it keeps") {
  const WeightFolder folder;
  const std::string sizes = Global("torch.jit._pickle", "build_intlist") + "(](" + Int(1) + "et" + "R";
  const std::string path = folder.Write(
      "clip.pt", Program({{"training", "\x89"},
                          {"sizes", sizes},
                          {"device", Global("torch", "device") + Tuple({Text("cpu")}) + "R"},
                          {"visual", Object("Tower", {{"conv1", Object("Conv", {{"weight", kWeight}})}})},
                          {"token_embedding", Object("Embedding", {{"weight", kWeight}})},
                          {"logit_scale", kWeight}}));
  const Result<bool> script = IsTorchScript(path);
  REQUIRE(script.ok());
  CHECK_FALSE(*script);
  const Result<StateDict> weights = ReadStateDict(path);
  if (!weights) FAIL(weights.error().message);
  std::string names;
  for (const auto& [name, tensor] : weights->tensors) names += name + " ";
  CHECK(names == "logit_scale token_embedding.weight visual.conv1.weight ");
}

TEST_CASE("other programs stay programs, and what they ask for is not called") {
  const WeightFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    const Result<StateDict> weights = ReadStateDict(folder.Write("x.pt", bytes));
    return weights ? std::string() : weights.error().message;
  };
  const std::string tower = Object("Tower", {{"weight", kWeight}});
  CHECK(refusal(Program({{"visual", tower}})).find("TorchScript") != std::string::npos);
  const Result<bool> script = IsTorchScript(folder.Write("one.pt", Program({{"visual", tower}})));
  CHECK((script.ok() && *script));
  const auto with = [&](const std::string& attribute) {
    return Program(
        {{"visual", tower}, {"token_embedding", tower}, {"logit_scale", kWeight}, {"more", attribute}});
  };
  CHECK(refusal(with("N")).empty());
  CHECK(refusal(with(Global("os", "system") + Tuple({Text("true")}) + "R")).find("TorchScript") !=
        std::string::npos);
  // A thousand objects of one dict's eight attributes.
  std::vector<std::pair<std::string, std::string>> eight;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) eight.emplace_back(name, "N");
  std::string shared = Global("__torch__.A", "A") + ")\x81" + Dict(eight) + "q\x07" + "b";
  for (int i = 0; i < 1000; ++i) shared += std::string("0") + Global("__torch__.A", "A") + ")\x81h\x07" + "b";
  CHECK(refusal(with(shared)).find("TorchScript") != std::string::npos);
  // An object in itself.
  const std::string endless = Global("__torch__.A", "A") + ")\x81q\x08}" + Text("again") + "h\x08" + "sb";
  CHECK(refusal(with(endless)).find("nested") != std::string::npos);
}

TEST_CASE("CLIP's program gives open_clip's vectors, by tests/golden/make_clip_script.py") {
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(**manager, 2);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  const std::string golden = IMGMILL_SOURCE_DIR "/tests/golden/clip_script";
  const Result<std::unique_ptr<EmbeddingModel>> model = runtime->LoadEmbedder(golden + ".pt", {});
  if (!model) FAIL(model.error().message);
  const ModelInfo& info = (*model)->info();
  CHECK(info.architecture == "CLIP ViT of 16 features, patch 8");
  CHECK(info.stored_as == "float16 and int64");
  CHECK(info.assumed.empty());
  REQUIRE(info.input.has_value());
  REQUIRE(info.input->side == 16);
  Formula formula("input");
  std::vector<float> image(3 * 16 * 16), vector(static_cast<size_t>(info.dimension));
  for (float& each : image) each = static_cast<float>(formula.Next() + 0.5);
  REQUIRE((*model)->Forward(image.data(), vector.data(), 1, 16, 16, WorkPlace::Device(0)));
  CHECK(Difference(golden + "_vector.csv", vector) < 1e-5);
  const Result<std::unique_ptr<TextModel>> text = runtime->LoadTextTower(golden + ".pt", {});
  if (!text) FAIL(text.error().message);
  REQUIRE((*text)->Embed(std::vector<int32_t>{6, 2, 7, 0}, vector).ok());
  CHECK(Difference(golden + "_text_vector.csv", vector) < 1e-5);
  const Result<std::unique_ptr<UpscaleModel>> upscaler = runtime->LoadUpscaler(golden + ".pt");
  REQUIRE_FALSE(upscaler.ok());
  CHECK(upscaler.error().message.find("embed --model") != std::string::npos);
}
