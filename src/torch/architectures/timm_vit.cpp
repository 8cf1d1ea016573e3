// The image towers of CLIP, SigLIP and DINOv3 as timm names and computes them: blocks.0.attn.qkv,
// patch_embed.proj. What each is, clip_vit.cpp, siglip_vit.cpp and dinov3_vit.cpp say; here is what differs
// in timm. OpenCLIP's files of SigLIP have the same tower below `visual.trunk.`.
//
//   CLIP    norm_pre; the head projects, as OpenAI's visual.proj does, where its biases are all zero. Other
//           heads classify: the normalized class token is the vector then
//   SigLIP  attn_pool.latent; GELU itself, where SigLIP's authors approximate it
//   DINOv3  reg_token, blocks.0.gamma_1; the class token is the vector, as its authors have it, though timm
//           takes the patches' average by default
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/clip_names.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/patch_embedding.h"
#include "torch/architectures/vit_blocks.h"

namespace imgmill {
namespace {

enum class Tower { kClip, kSiglip, kDinov3 };

constexpr int kDinov3Side = 256;
constexpr double kSiglipPart = 0.9;  ///< of the shorter side that timm shows SigLIP

struct Plan {
  Tower tower = Tower::kClip;
  std::string beginning;  ///< of all names
  VitNames block = {.norm1 = "norm1",
                    .norm2 = "norm2",
                    .qkv_weight = "attn.qkv.weight",
                    .qkv_bias = "attn.qkv.bias",
                    .out = "attn.proj",
                    .up = "mlp.fc1",
                    .down = "mlp.fc2"};
  VitShape shape;
  int blocks = 0;
  int64_t patch = 0;
  int64_t grid = 0;       ///< 0 where positions are angles
  int64_t registers = 0;  ///< with DINOv3
  int64_t dimension = 0;  ///< that CLIP's head projects to; 0 where it does not
};

/// What CLIP's head projects to: timm writes biases, of which CLIP has none, as zeros.
int64_t Projection(const StateDict& weights) {
  const WeightTensor* head = weights.Find("head.weight");
  if (head == nullptr) return 0;
  if (const WeightTensor* bias = weights.Find("head.bias"); bias != nullptr) {
    const Result<Buffer> floats = ToFloats(*bias);
    if (!floats) return 0;
    const auto* values = reinterpret_cast<const float*>(floats->data());
    if (std::any_of(values, values + bias->count(), [](float value) { return value != 0; })) return 0;
  }
  return head->dim(0);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (const char* beginning : {"", "visual.trunk."}) {
    plan.beginning = beginning;
    const auto find = [&](const char* name) { return weights.Find(plan.beginning + name); };
    const WeightTensor* patches = find("patch_embed.proj.weight");
    if (patches == nullptr || find("blocks.0.attn.qkv.weight") == nullptr) continue;
    const int64_t width = patches->dim(0);
    const WeightTensor* positions = find("pos_embed");
    const WeightTensor* registers = find("reg_token");
    if (find("attn_pool.latent") != nullptr && positions != nullptr) {
      plan.tower = Tower::kSiglip;
      plan.shape = {width, TowerHeads(width), 1e-6, VitActivation::kGelu};
      plan.grid = SideOfSquare(positions->dim(1));
    } else if (find("norm_pre.weight") != nullptr && find("cls_token") != nullptr && positions != nullptr) {
      plan.tower = Tower::kClip;
      plan.shape = {width, TowerHeads(width), 1e-5, VitActivation::kGelu};
      plan.grid = SideOfSquare(positions->dim(1) - 1);
      if (plan.beginning.empty()) plan.dimension = Projection(weights);
    } else if (registers != nullptr && find("blocks.0.gamma_1") != nullptr && positions == nullptr) {
      plan.tower = Tower::kDinov3;
      plan.shape = {width, Dinov3Heads(width), 1e-5, VitActivation::kGelu};
      plan.registers = registers->dim(1);
      plan.block.scale1 = "gamma_1";
      plan.block.scale2 = "gamma_2";
      plan.block.query_bias = "attn.q_bias";
      plan.block.value_bias = "attn.v_bias";
      if (find("blocks.0.mlp.fc1_g.weight") != nullptr) {
        plan.block.gate = "mlp.fc1_g";
        plan.block.up = "mlp.fc1_x";
      }
    } else {
      continue;
    }
    plan.patch = patches->dim(2);
    plan.blocks = CountBlocks(weights, plan.beginning + "blocks.", ".norm1.weight");
    const int64_t heads = plan.shape.heads;
    return plan.blocks > 0 && plan.patch > 0 && heads > 0 && width % heads == 0 &&
           (plan.tower == Tower::kDinov3 ? plan.registers > 0 && width / heads % 4 == 0 : plan.grid > 0);
  }
  return false;
}

class TimmVit final : public EmbedNet {
 public:
  TimmVit(const Plan& plan, Layers& layers) : tower_(plan.tower), head_(plan.shape.width / plan.shape.heads) {
    const int64_t width = plan.shape.width;
    const double epsilon = plan.shape.epsilon;
    const auto named = [&](const char* name) { return plan.beginning + name; };
    patches_ = PatchEmbedding(layers.Conv(named("patch_embed.proj"), width, 3,
                                          {.side = plan.patch,
                                           .stride = plan.patch,
                                           .padding = 0,
                                           .bias = layers.Has(named("patch_embed.proj.bias"))}));
    if (tower_ != Tower::kSiglip) tokens_ = layers.Parameter(named("cls_token"), {1, 1, width});
    if (tower_ == Tower::kDinov3) {
      const torch::Tensor registers = layers.Parameter(named("reg_token"), {1, plan.registers, width});
      if (registers.defined()) tokens_ = torch::cat({tokens_, registers}, 1);
    } else {
      const int64_t count = plan.grid * plan.grid + (tower_ == Tower::kClip ? 1 : 0);
      positions_ = layers.Parameter(named("pos_embed"), {1, count, width});
    }
    if (tower_ == Tower::kClip) before_ = layers.Norm(named("norm_pre"), width, epsilon);
    for (int i = 0; i < plan.blocks; ++i)
      blocks_.emplace_back(plan.block, named("blocks.") + std::to_string(i) + ".", plan.shape, layers);
    after_ = layers.Norm(named("norm"), width, epsilon);
    if (tower_ == Tower::kSiglip) AddPool(plan, layers);
    if (plan.dimension > 0)
      projection_ = PackedLinear({layers.Parameter(named("head.weight"), {plan.dimension, width}), {}});
    layers.PassOver(named("head.weight"));
    layers.PassOver(named("head.bias"));
    layers.PassOverBelow(named("rope."));
    if (!plan.beginning.empty()) {
      layers.PassOverBelow("text.");
      layers.PassOver("logit_scale");
      layers.PassOver("logit_bias");
    }
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = patches_(input);
    VitRotation rotation;
    if (tower_ == Tower::kDinov3) rotation = RotationByPlace(x, head_);
    x = x.flatten(2).transpose(1, 2);
    if (tokens_.defined()) x = torch::cat({tokens_.expand({x.size(0), -1, -1}), x}, 1);
    if (positions_.defined()) x = x + positions_;
    if (before_.weight.defined()) x = before_(x);
    for (const VitBlock& block : blocks_) x = block(x, rotation.sines.defined() ? &rotation : nullptr);
    if (tower_ == Tower::kSiglip) return pool_(after_(x));
    x = after_(x.select(1, 0));
    return projection_.exists() ? projection_(x) : x;
  }

 private:
  void AddPool(const Plan& plan, Layers& layers) {
    const std::string name = plan.beginning + "attn_pool.";
    const int64_t width = plan.shape.width;
    pool_.shape = plan.shape;
    pool_.probe = layers.Parameter(name + "latent", {1, 1, width});
    pool_.query = layers.Dense(name + "q", width, width);
    pool_.keys_and_values = layers.Dense(name + "kv", 2 * width, width);
    pool_.out = layers.Dense(name + "proj", width, width);
    pool_.norm = layers.Norm(name + "norm", width, plan.shape.epsilon);
    const int64_t inner = layers.Outputs(name + "mlp.fc1.weight");
    pool_.up = layers.Dense(name + "mlp.fc1", inner, width);
    pool_.down = layers.Dense(name + "mlp.fc2", width, inner);
  }

  Tower tower_;
  int64_t head_;
  PatchEmbedding patches_;
  torch::Tensor tokens_;  ///< that stand before the patches
  torch::Tensor positions_;
  PackedLinear projection_;
  std::vector<VitBlock> blocks_;
  LayerNorm before_, after_;
  VitAttentionPool pool_;
};

class TimmVitArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "timm ViT"; }
  std::string_view known_by() const override { return "timm's vit_*_clip, vit_*_siglip, vit_*_dinov3"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string VariantOf(const Plan& plan) const override {
    const char* tower = plan.tower == Tower::kClip     ? "CLIP"
                        : plan.tower == Tower::kSiglip ? "SigLIP"
                                                       : "DINOv3";
    return std::string(tower) + " ViT of " + std::to_string(plan.shape.width) + " features, patch " +
           std::to_string(plan.patch);
  }

  std::vector<Telltales> telltales() const override {
    return {
        {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "norm_pre.weight", "cls_token", "pos_embed"},
        {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "attn_pool.latent", "pos_embed"},
        {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "reg_token", "blocks.0.gamma_1"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    if (plan.tower == Tower::kClip)
      plan.shape.activation = TRY(ClipActivation(*weights, /*hugging_face=*/false, info.assumed));
    return LoadEmbedLayers<TimmVit>(plan, Input(plan), std::move(info), std::move(weights));
  }

 private:
  static ModelInput Input(const Plan& plan) {
    const auto side = static_cast<int>(plan.grid * plan.patch);
    if (plan.tower == Tower::kClip) return ClipInput(side);
    if (plan.tower == Tower::kDinov3) return ImageNetInput(kDinov3Side, kDinov3Side, ResizeFilter::kCubic);
    ModelInput input = PlainInput(side, ResizeFilter::kCubic);
    if (plan.beginning.empty()) {
      input.rule = SquareRule::kShorter;
      input.shorter = static_cast<int>(side / kSiglipPart);
    }
    return input;
  }
};

const TimmVitArchitecture instance;

}  // namespace

extern const Architecture& kTimmVit;
const Architecture& kTimmVit = instance;

}  // namespace imgmill
