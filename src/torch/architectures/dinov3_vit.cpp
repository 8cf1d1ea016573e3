// DINOv3 as a vision transformer (Siméoni et al., "DINOv3", 2025): registers, branches scaled by features,
// and positions that turn queries and keys of the patches by angles of their places in -1..1; the normalized
// class token is the vector. The largest ones have gated perceptrons.
//
// Layout: Hugging Face's (layer.0.attention.q_proj, embeddings.register_tokens).
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/patch_embedding.h"
#include "torch/architectures/vit_blocks.h"

namespace imgmill {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr int kSide = 224;

struct Plan {
  std::string layers;  ///< what the blocks' names begin with
  VitNames block = {.norm1 = "norm1",
                    .norm2 = "norm2",
                    .query = "attention.q_proj",
                    .key = "attention.k_proj",
                    .value = "attention.v_proj",
                    .out = "attention.o_proj",
                    .up = "mlp.up_proj",
                    .down = "mlp.down_proj",
                    .scale1 = "layer_scale1.lambda1",
                    .scale2 = "layer_scale2.lambda1"};
  VitShape shape;
  int blocks = 0;
  int64_t patch = 0, registers = 0;
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* patches = weights.Find("embeddings.patch_embeddings.weight");
  const WeightTensor* registers = weights.Find("embeddings.register_tokens");
  if (patches == nullptr || registers == nullptr) return false;
  for (const char* beginning : {"layer.", "model.layer."}) {
    plan.layers = beginning;
    plan.blocks = CountBlocks(weights, plan.layers, ".layer_scale1.lambda1");
    if (plan.blocks > 0) break;
  }
  plan.shape = {patches->dim(0), Dinov3Heads(patches->dim(0)), kEpsilon, VitActivation::kGelu};
  plan.patch = patches->dim(2);
  plan.registers = registers->dim(1);
  if (weights.Find(plan.layers + "0.mlp.gate_proj.weight") != nullptr) plan.block.gate = "mlp.gate_proj";
  return plan.blocks > 0 && plan.patch > 0 && plan.registers > 0 && plan.shape.heads > 0 &&
         plan.shape.width % plan.shape.heads == 0 && plan.shape.width / plan.shape.heads % 4 == 0;
}

class Dinov3 final : public EmbedNet {
 public:
  Dinov3(const Plan& plan, Layers& layers) : head_(plan.shape.width / plan.shape.heads) {
    const int64_t width = plan.shape.width;
    patches_ = PatchEmbedding(layers.Conv("embeddings.patch_embeddings", width, 3,
                                          {.side = plan.patch, .stride = plan.patch, .padding = 0}));
    classes_ = layers.Parameter("embeddings.cls_token", {1, 1, width});
    registers_ = layers.Parameter("embeddings.register_tokens", {1, plan.registers, width});
    for (int i = 0; i < plan.blocks; ++i)
      blocks_.emplace_back(plan.block, plan.layers + std::to_string(i) + ".", plan.shape, layers);
    after_ = layers.Norm("norm", width, kEpsilon);
    layers.PassOver("embeddings.mask_token");  // for training only
    layers.PassOver("rope_embeddings.inv_freq");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = patches_(input);
    const VitRotation rotation = RotationByPlace(x, head_);
    const int64_t n = x.size(0);
    x = torch::cat(
        {classes_.expand({n, 1, -1}), registers_.expand({n, -1, -1}), x.flatten(2).transpose(1, 2)}, 1);
    for (const VitBlock& block : blocks_) x = block(x, &rotation);
    return after_(x.select(1, 0));
  }

 private:
  int64_t head_;
  PatchEmbedding patches_;
  torch::Tensor classes_, registers_;
  std::vector<VitBlock> blocks_;
  LayerNorm after_;
};

class Dinov3Architecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DINOv3 ViT"; }
  std::string_view known_by() const override { return "DINOv3"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string VariantOf(const Plan& plan) const override {
    return "DINOv3 ViT of " + std::to_string(plan.shape.width) + " features, patch " +
           std::to_string(plan.patch);
  }

  std::vector<Telltales> telltales() const override {
    return {{"embeddings.cls_token", "embeddings.register_tokens", "layer.0.layer_scale1.lambda1"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    ModelInput input = ImageNetInput(kSide, 0, ResizeFilter::kTriangle);
    input.rule = SquareRule::kSquash;
    return LoadEmbedLayers<Dinov3>(plan, input, std::move(info), std::move(weights));
  }
};

const Dinov3Architecture instance;

}  // namespace

extern const Architecture& kDinov3Vit;
const Architecture& kDinov3Vit = instance;

}  // namespace imgmill
