// DINOv2 (Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", 2023), with or without
// registers (Darcet et al., "Vision Transformers Need Registers", 2023): a vision transformer whose branches
// are scaled by features; the normalized class token is the vector. Sizes S, B, L, and g, whose perceptrons
// are gated.
//
// Layouts: Meta's (blocks.0.attn.qkv), Hugging Face's (encoder.layer.0.attention.attention.query), and
// timm's, which is Meta's without mask_token and with reg_token; where there are registers, only patches have
// positions. Positions are learned for 37x37 patches and interpolated to the 16x16 of the usual 224 pixels.
// Here the libraries differ: Meta's code scales by (16 + 0.1) / 37 where there are no registers, transformers
// by 16 / 37; with registers both scale by 16 / 37 and average. timm shows the network the 518 pixels that
// the positions are for, and averages for other sides.
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/patch_embedding.h"
#include "torch/architectures/vit_blocks.h"

namespace imgmill {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr double kMetaOffset = 0.1;
constexpr int kSide = 224, kShorter = 256;

struct Layout {
  std::string classes, mask, positions, registers, patches, blocks, after;
  VitNames block;
  std::string gated_up, gated_down;  ///< what a gated perceptron's layers are called
  double offset = 0;                 ///< added to the side that positions are interpolated to
  bool averages = false;             ///< where positions are interpolated
  bool whole_side = false;           ///< images have the side that positions are for
};

Layout Meta() {
  return {.classes = "cls_token",
          .mask = "mask_token",
          .positions = "pos_embed",
          .registers = "register_tokens",
          .patches = "patch_embed.proj",
          .blocks = "blocks.",
          .after = "norm",
          .block = {.norm1 = "norm1",
                    .norm2 = "norm2",
                    .qkv_weight = "attn.qkv.weight",
                    .qkv_bias = "attn.qkv.bias",
                    .out = "attn.proj",
                    .up = "mlp.fc1",
                    .down = "mlp.fc2",
                    .scale1 = "ls1.gamma",
                    .scale2 = "ls2.gamma"},
          .gated_up = "mlp.w12",
          .gated_down = "mlp.w3",
          .offset = kMetaOffset};
}

Layout Timm() {
  Layout layout = Meta();
  layout.mask.clear();
  layout.registers = "reg_token";
  layout.gated_up = "mlp.fc1";
  layout.gated_down = "mlp.fc2";
  layout.offset = 0;
  layout.averages = layout.whole_side = true;
  return layout;
}

Layout HuggingFace() {
  return {.classes = "embeddings.cls_token",
          .mask = "embeddings.mask_token",
          .positions = "embeddings.position_embeddings",
          .registers = "embeddings.register_tokens",
          .patches = "embeddings.patch_embeddings.projection",
          .blocks = "encoder.layer.",
          .after = "layernorm",
          .block = {.norm1 = "norm1",
                    .norm2 = "norm2",
                    .query = "attention.attention.query",
                    .key = "attention.attention.key",
                    .value = "attention.attention.value",
                    .out = "attention.output.dense",
                    .up = "mlp.fc1",
                    .down = "mlp.fc2",
                    .scale1 = "layer_scale1.lambda1",
                    .scale2 = "layer_scale2.lambda1"},
          .gated_up = "mlp.weights_in",
          .gated_down = "mlp.weights_out"};
}

struct Plan {
  Layout layout;
  VitShape shape;
  int blocks = 0;
  int64_t patch = 0, grid = 0, registers = 0;
  bool class_has_position = true;
};

/// Whether the perceptron's first layer gives two values, one of which gates the other, for each that the
/// second takes.
bool IsGated(const StateDict& weights, const std::string& first, const Layout& layout) {
  const WeightTensor* up = weights.Find(first + layout.gated_up + ".weight");
  const WeightTensor* down = weights.Find(first + layout.gated_down + ".weight");
  return up != nullptr && down != nullptr && up->dim(0) == 2 * down->dim(1);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (Layout layout : {Meta(), HuggingFace(), Timm()}) {
    const WeightTensor* patches = weights.Find(layout.patches + ".weight");
    const WeightTensor* positions = weights.Find(layout.positions);
    const std::string first = layout.blocks + "0.";
    if (patches == nullptr || positions == nullptr ||
        (!layout.mask.empty() && weights.Find(layout.mask) == nullptr) ||
        weights.Find(layout.classes) == nullptr || weights.Find(first + layout.block.scale1) == nullptr) {
      continue;
    }
    plan.shape = {patches->dim(0), patches->dim(0) / 64, kEpsilon, VitActivation::kGelu};
    plan.patch = patches->dim(2);
    const WeightTensor* registers = weights.Find(layout.registers);
    plan.registers = registers == nullptr ? 0 : registers->dim(1);
    plan.class_has_position = layout.registers != "reg_token" || plan.registers == 0;
    plan.grid = SideOfSquare(positions->dim(1) - (plan.class_has_position ? 1 : 0));
    plan.blocks = CountBlocks(weights, layout.blocks, ".norm1.weight");
    if (plan.registers > 0) {
      layout.offset = 0;
      layout.averages = true;
    }
    if (IsGated(weights, first, layout)) {
      layout.block.gate_and_up = layout.gated_up;
      layout.block.down = layout.gated_down;
    }
    plan.layout = std::move(layout);
    return plan.blocks > 0 && plan.grid > 0 && plan.patch > 0 && plan.shape.heads > 0 &&
           plan.shape.width % 64 == 0;
  }
  return false;
}

class Dinov2 final : public EmbedNet {
 public:
  Dinov2(const Plan& plan, Layers& layers)
      : grid_(plan.grid),
        offset_(plan.layout.offset),
        averages_(plan.layout.averages),
        class_has_position_(plan.class_has_position) {
    const Layout& layout = plan.layout;
    const int64_t width = plan.shape.width;
    patches_ = PatchEmbedding(
        layers.Conv(layout.patches, width, 3, {.side = plan.patch, .stride = plan.patch, .padding = 0}));
    classes_ = layers.Parameter(layout.classes, {1, 1, width});
    positions_ =
        layers.Parameter(layout.positions, {1, grid_ * grid_ + (class_has_position_ ? 1 : 0), width});
    if (plan.registers > 0) registers_ = layers.Parameter(layout.registers, {1, plan.registers, width});
    for (int i = 0; i < plan.blocks; ++i)
      blocks_.emplace_back(layout.block, layout.blocks + std::to_string(i) + ".", plan.shape, layers);
    after_ = layers.Norm(layout.after, width, kEpsilon);
    if (!layout.mask.empty()) layers.PassOver(layout.mask);  // for training only
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = patches_(input);
    const torch::Tensor positions = Positions(x.size(2), x.size(3));
    const int64_t n = x.size(0);
    x = x.flatten(2).transpose(1, 2) + positions;
    torch::Tensor first = classes_;
    if (class_has_position_) first = first + positions_.slice(1, 0, 1);
    if (registers_.defined()) first = torch::cat({first, registers_}, 1);
    x = torch::cat({first.expand({n, -1, -1}), x}, 1);
    for (const VitBlock& block : blocks_) x = block(x);
    return after_(x.select(1, 0));
  }

 private:
  /// Of the patches.
  torch::Tensor Positions(int64_t height, int64_t width) const {
    const torch::Tensor patches = positions_.slice(1, class_has_position_ ? 1 : 0);
    if (height == grid_ && width == grid_) return patches;
    torch::Tensor squares = patches.reshape({1, grid_, grid_, patches.size(2)}).permute({0, 3, 1, 2});
    if (averages_) {
      squares = at::_upsample_bicubic2d_aa(squares, {height, width}, /*align_corners=*/false);
    } else if (offset_ > 0) {
      const auto scale = [&](int64_t side) {
        return (static_cast<double>(side) + offset_) / static_cast<double>(grid_);
      };
      squares = at::upsample_bicubic2d(squares, {height, width}, /*align_corners=*/false, scale(height),
                                       scale(width));
    } else {
      squares = at::upsample_bicubic2d(squares, {height, width}, /*align_corners=*/false);
    }
    return squares.flatten(2).transpose(1, 2);
  }

  int64_t grid_;
  double offset_;
  bool averages_, class_has_position_;
  PatchEmbedding patches_;
  torch::Tensor classes_, positions_, registers_;
  std::vector<VitBlock> blocks_;
  LayerNorm after_;
};

class Dinov2Architecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DINOv2 ViT"; }
  std::string_view known_by() const override { return "DINOv2, with registers or without"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string VariantOf(const Plan& plan) const override {
    return "DINOv2 ViT of " + std::to_string(plan.shape.width) + " features, patch " +
           std::to_string(plan.patch) +
           (plan.registers > 0 ? ", " + std::to_string(plan.registers) + " registers" : "");
  }

  std::vector<Telltales> telltales() const override {
    return {{"cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.ls1.gamma"},
            {"embeddings.cls_token", "embeddings.mask_token", "encoder.layer.0.layer_scale1.lambda1"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    const int whole = static_cast<int>(plan.grid * plan.patch);
    ModelInput input = plan.layout.whole_side ? ImageNetInput(whole, whole, ResizeFilter::kCubic)
                                              : ImageNetInput(kSide, kShorter, ResizeFilter::kCubic);
    input.crop_floors = plan.layout.classes.starts_with("embeddings.");
    return LoadEmbedLayers<Dinov2>(plan, input, std::move(info), std::move(weights));
  }
};

const Dinov2Architecture instance;

}  // namespace

extern const Architecture& kDinov2Vit;
const Architecture& kDinov2Vit = instance;

}  // namespace imgmill
