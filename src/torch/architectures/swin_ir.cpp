// SwinIR (Liang et al., "SwinIR: Image Restoration Using Swin Transformer", 2021): groups of Swin Transformer
// blocks with a convolution behind each, at the input's size. Weights: conv_first,
// layers.0.residual_group.blocks.0.attn.qkv, layers.0.conv, conv_after_body, and the layers of one of four
// tails (pixelshuffle, pixelshuffledirect, nearest+conv, none). conv_first.1 stands where squares of pixels
// become channels first.
#include <algorithm>

#include "torch/architectures/architecture.h"
#include "torch/architectures/swin_block.h"
#include "torch/architectures/transformer_frame.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

struct Plan {
  FramePlan frame;
  int64_t window = 0, heads = 1, mlp = 0;
  std::vector<int> depths;
};

std::string Group(size_t number) {
  return "layers." + std::to_string(number);
}
std::string Block(size_t group, int number) {
  return Group(group) + ".residual_group.blocks." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* table = weights.Find(Block(0, 0) + ".attn.relative_position_bias_table");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".mlp.fc1.weight");
  // HAT has the same names and more; SRFormer's attention has no qkv and a convolution in the MLP.
  if (table == nullptr || wide == nullptr || weights.Find(Block(0, 0) + ".attn.qkv.weight") == nullptr ||
      weights.Find(Block(0, 0) + ".conv_block.cab.0.weight") != nullptr || !ReadFrame(weights, plan.frame))
    return false;
  plan.window = WindowOfTable(table->dim(0));
  plan.heads = table->dim(1);
  plan.mlp = wide->dim(0);
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".norm1.weight"; });
  plan.frame.multiple = plan.window;
  // Only the networks for JPEG artifacts have windows of 7; they also work on 0..255.
  if (plan.window == 7) plan.frame.range = 255;
  return plan.window > 0 && plan.heads > 0 && !plan.depths.empty();
}

class SwinIrNet final : public FramedNet {
 public:
  SwinIrNet(const Plan& plan, Layers& layers) : FramedNet(plan.frame, layers) {
    const int64_t features = plan.frame.features;
    layers.PassOverAll(".attn_mask");
    layers.PassOverAll(".relative_position_index");
    first_norm_ = layers.Has("patch_embed.norm.weight");
    if (first_norm_) before_ = layers.Norm("patch_embed.norm", features);
    for (size_t g = 0; g < plan.depths.size(); ++g) {
      auto& group = groups_.emplace_back();
      for (int b = 0; b < plan.depths[g]; ++b)
        group.blocks.emplace_back(layers, Block(g, b), features, SwinWindow(plan.window, b));
      group.conv = ResidualConv(layers, Group(g) + ".conv", features);
    }
    after_ = layers.Norm("norm", features);
  }

 protected:
  torch::Tensor Features(const torch::Tensor& x) const override {
    torch::Tensor y = first_norm_ ? before_(x) : x.clone();
    for (const auto& group : groups_) group(y);
    return after_(y);
  }

 private:
  bool first_norm_ = false;
  LayerNorm before_, after_;
  std::vector<ResidualGroup<SwinBlock>> groups_;
};

class SwinIrArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SwinIR"; }
  std::string_view known_by() const override { return "SwinIR-M, SwinIR-L, SwinIR-S"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.residual_group.blocks.0.attn.relative_position_bias_table",
             "layers.0.residual_group.blocks.0.mlp.fc1.weight",
             "layers.0.residual_group.blocks.0.attn.qkv.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    const FramePlan& frame = plan.frame;
    info.scale = frame.scale();
    info.bands = static_cast<int>(frame.bands);
    // In a block each pixel sees all of its window.
    int64_t radius = kFrameRadius;
    for (const int depth : plan.depths) radius += depth * (plan.window - 1) + 2;
    info.receptive_radius = static_cast<int>(radius * frame.unshuffle);
    info.tile_grid = static_cast<int>(plan.window * frame.unshuffle);
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    parts.bytes = [plan](int height, int width) {
      const int64_t features = plan.frame.features;
      return FrameBytes(
          plan.frame, 6 * features,
          [&](int64_t columns) {
            return std::max(WindowFloats(SwinWindow(plan.window, 0), columns, features, plan.heads,
                                         plan.window * plan.window),
                            kPixelsAtOnce * (2 * plan.mlp + 2 * features));
          },
          height, width);
    };
    return LoadLayers<SwinIrNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 256;
  static constexpr int kOverlap = 32;
};

const SwinIrArchitecture instance;

}  // namespace

extern const Architecture& kSwinIr;
const Architecture& kSwinIr = instance;

}  // namespace imgmill
