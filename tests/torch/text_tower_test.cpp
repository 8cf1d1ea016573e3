// Files without a text tower that fits: what is said of them. What towers compute is in
// network_golden_test.cpp.
#include "torch/formula_weights.h"
#include "torch/runtime.h"

using namespace imgmill;

namespace {

struct Tensor {
  std::string name;
  std::vector<int> shape;
};

std::vector<Tensor> ImageTower() {
  std::vector<Tensor> tensors = {{"visual.conv1.weight", {64, 3, 16, 16}},
                                 {"visual.class_embedding", {64}},
                                 {"visual.positional_embedding", {5, 64}},
                                 {"visual.proj", {64, 24}},
                                 {"logit_scale", {1}}};
  for (const char* norm : {"visual.ln_pre", "visual.ln_post"}) {
    tensors.push_back({std::string(norm) + ".weight", {64}});
    tensors.push_back({std::string(norm) + ".bias", {64}});
  }
  return tensors;
}

void AddBlock(std::vector<Tensor>& tensors, const std::string& block) {
  for (const auto& [name, out, in] :
       {std::tuple{"ln_1.", 64, 0}, std::tuple{"ln_2.", 64, 0}, std::tuple{"attn.in_proj_", 192, 64},
        std::tuple{"attn.out_proj.", 64, 64}, std::tuple{"mlp.c_fc.", 128, 64},
        std::tuple{"mlp.c_proj.", 64, 128}}) {
    tensors.push_back({block + name + "weight", in > 0 ? std::vector<int>{out, in} : std::vector<int>{out}});
    tensors.push_back({block + name + "bias", {out}});
  }
}

std::vector<Tensor> BothTowers() {
  std::vector<Tensor> tensors = ImageTower();
  AddBlock(tensors, "visual.transformer.resblocks.0.");
  AddBlock(tensors, "transformer.resblocks.0.");
  for (Tensor& tensor : std::vector<Tensor>{{"token_embedding.weight", {600, 64}},
                                            {"positional_embedding", {8, 64}},
                                            {"ln_final.weight", {64}},
                                            {"ln_final.bias", {64}},
                                            {"text_projection", {64, 24}}})
    tensors.push_back(std::move(tensor));
  return tensors;
}

/// The vector of a short text, or what is wrong with the file.
Result<std::vector<float>> VectorOf(const std::vector<Tensor>& tensors, const EmbedderRequest& request = {}) {
  const WeightFolder folder;
  FormulaWeights weights;
  for (const Tensor& tensor : tensors) weights.Add(tensor.name, tensor.shape, tensor.name);
  auto manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(**manager, 2);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  Result<std::unique_ptr<TextModel>> model = runtime->LoadTextTower(weights.Write(folder), request);
  if (!model) return model.error();
  std::vector<float> vector(static_cast<size_t>((*model)->info().dimension));
  const std::vector<int32_t> tokens = {598, 3, 599};
  if (Status ran = (*model)->Embed(tokens, vector); !ran) return ran.error();
  return vector;
}

bool Says(const Result<std::vector<float>>& result, Code code, const std::string& what) {
  if (result) return false;
  INFO(result.error().message);
  return result.error().code == code && result.error().message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a text tower is taken from a CLIP with both towers, and whatever else is refused by name") {
  REQUIRE(VectorOf(BothTowers()).ok());
  CHECK(VectorOf(BothTowers())->size() == 24);

  std::vector<Tensor> tensors = ImageTower();
  AddBlock(tensors, "visual.transformer.resblocks.0.");
  CHECK(Says(VectorOf(tensors), Code::kUsage, "no text tower that imgmill knows (CLIP ViT of 64 features"));

  tensors = BothTowers();
  std::erase_if(tensors,
                [](const Tensor& tensor) { return tensor.name == "transformer.resblocks.0.ln_2.bias"; });
  CHECK(Says(VectorOf(tensors), Code::kModelError, "transformer.resblocks.0.ln_2.bias of 64 is missing"));

  // CoCa's text tower has one token more than CLIP's.
  tensors = BothTowers();
  tensors.push_back({"cls_emb", {64}});
  CHECK(Says(VectorOf(tensors), Code::kModelError, "cls_emb"));
}

TEST_CASE("both towers have the activation that the user names") {
  const auto gelu = VectorOf(BothTowers(), {.activation = "gelu"});
  const auto quick = VectorOf(BothTowers(), {.activation = "quickgelu"});
  const auto unsaid = VectorOf(BothTowers());
  REQUIRE(gelu.ok());
  REQUIRE(quick.ok());
  REQUIRE(unsaid.ok());
  CHECK(*unsaid == *gelu);  // what OpenCLIP assumes of its layout
  CHECK(*unsaid != *quick);
}
