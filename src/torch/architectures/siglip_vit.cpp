// The image tower of SigLIP and SigLIP 2 (Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023;
// Tschannen et al., "SigLIP 2", 2025) of a fixed input size: patches without a class token, pre-norm blocks
// with GELU by tanh, and one learned query that attends to all patches; what it finds, with a perceptron
// added, is the vector.
//
// Layout: Hugging Face's (vision_model.encoder.layers.0.self_attn.q_proj, vision_model.head.probe; with or
// without `vision_model.`). The text tower, where the file has it, is left alone, but its vocabulary tells
// SigLIP 2, which was trained on BILINEAR pictures; SigLIP on BICUBIC ones.
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/clip_names.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/patch_embedding.h"
#include "torch/architectures/vit_blocks.h"

namespace imgmill {
namespace {

constexpr int64_t kSiglip2Words = 256000;

struct Plan {
  std::string tower;  ///< what names begin with
  VitShape shape;
  int blocks = 0;
  int64_t patch = 0, grid = 0;
  bool second = false;
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (const char* tower : {"vision_model.", ""}) {
    plan.tower = tower;
    const WeightTensor* patches = weights.Find(plan.tower + "embeddings.patch_embedding.weight");
    const WeightTensor* positions = weights.Find(plan.tower + "embeddings.position_embedding.weight");
    if (patches == nullptr || positions == nullptr || weights.Find(plan.tower + "head.probe") == nullptr)
      continue;
    plan.shape = {patches->dim(0), TowerHeads(patches->dim(0)), 1e-6, VitActivation::kGeluTanh};
    plan.patch = patches->dim(2);
    plan.grid = SideOfSquare(positions->dim(0));
    plan.blocks = CountBlocks(weights, plan.tower + "encoder.layers.", ".layer_norm1.weight");
    const WeightTensor* words = weights.Find("text_model.embeddings.token_embedding.weight");
    plan.second = words != nullptr && words->dim(0) == kSiglip2Words;
    return plan.blocks > 0 && plan.grid > 0 && plan.patch > 0 && plan.shape.width % plan.shape.heads == 0;
  }
  return false;
}

class SiglipTower final : public EmbedNet {
 public:
  SiglipTower(const Plan& plan, Layers& layers) : shape_(plan.shape) {
    const std::string& tower = plan.tower;
    const int64_t width = shape_.width;
    patches_ = PatchEmbedding(layers.Conv(tower + "embeddings.patch_embedding", width, 3,
                                          {.side = plan.patch, .stride = plan.patch, .padding = 0}));
    positions_ =
        layers.Parameter(tower + "embeddings.position_embedding.weight", {plan.grid * plan.grid, width});
    for (int i = 0; i < plan.blocks; ++i)
      blocks_.emplace_back(HuggingFaceBlockNames(), tower + "encoder.layers." + std::to_string(i) + ".",
                           shape_, layers);
    after_ = layers.Norm(tower + "post_layernorm", width, shape_.epsilon);
    const std::string head = tower + "head.";
    pool_.shape = shape_;
    pool_.probe = layers.Parameter(head + "probe", {1, 1, width});
    const Linear in =
        DenseOf(layers, head + "attention.in_proj_weight", head + "attention.in_proj_bias", 3 * width, width);
    if (in.bias.defined()) {
      pool_.query = {in.weight.narrow(0, 0, width), in.bias.narrow(0, 0, width)};
      pool_.keys_and_values = {in.weight.narrow(0, width, 2 * width), in.bias.narrow(0, width, 2 * width)};
    }
    pool_.out = layers.Dense(head + "attention.out_proj", width, width);
    pool_.norm = layers.Norm(head + "layernorm", width, shape_.epsilon);
    const int64_t inner = layers.Outputs(head + "mlp.fc1.weight");
    pool_.up = layers.Dense(head + "mlp.fc1", inner, width);
    pool_.down = layers.Dense(head + "mlp.fc2", width, inner);
    layers.PassOverBelow("text_model.");
    layers.PassOver("logit_scale");
    layers.PassOver("logit_bias");
    layers.PassOverAll(".position_ids");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = patches_(input).flatten(2).transpose(1, 2) + positions_;
    for (const VitBlock& block : blocks_) x = block(x);
    return pool_(after_(x));
  }

 private:
  VitShape shape_;
  PatchEmbedding patches_;
  torch::Tensor positions_;
  std::vector<VitBlock> blocks_;
  LayerNorm after_;
  VitAttentionPool pool_;
};

class SiglipArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SigLIP ViT"; }
  std::string_view known_by() const override { return "SigLIP, SigLIP 2"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string VariantOf(const Plan& plan) const override {
    return std::string(plan.second ? "SigLIP 2 ViT of " : "SigLIP ViT of ") +
           std::to_string(plan.shape.width) + " features, patch " + std::to_string(plan.patch);
  }

  std::vector<Telltales> telltales() const override {
    return {{"vision_model.embeddings.patch_embedding.weight", "vision_model.head.probe"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    const ModelInput input = PlainInput(static_cast<int>(plan.grid * plan.patch),
                                        plan.second ? ResizeFilter::kTriangle : ResizeFilter::kCubic);
    return LoadEmbedLayers<SiglipTower>(plan, input, std::move(info), std::move(weights));
  }
};

const SiglipArchitecture instance;

}  // namespace

extern const Architecture& kSiglipVit;
const Architecture& kSiglipVit = instance;

}  // namespace imgmill
