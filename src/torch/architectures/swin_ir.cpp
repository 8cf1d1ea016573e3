// SwinIR (Liang et al., "SwinIR: Image Restoration Using Swin Transformer", 2021): groups of Swin Transformer
// blocks with a convolution behind each, at the input's size. Weights: conv_first,
// layers.0.residual_group.blocks.0.attn.qkv, layers.0.conv, conv_after_body, and the layers of one of four
// tails (pixelshuffle, pixelshuffledirect, nearest+conv, none). conv_first.1 stands where squares of pixels
// become channels first.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/swin_block.h"
#include "torch/architectures/transformer_frame.h"

namespace imgmill {
namespace {

struct Plan {
  FramePlan frame;
  int64_t window = 0, heads = 1, mlp = 0;
  std::vector<int> depths;
};

std::string Block(size_t group, int number) {
  return GroupName(group) + ".residual_group.blocks." + std::to_string(number);
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

class SwinIrNet final : public GroupedNet<SwinBlock> {
 public:
  SwinIrNet(const Plan& plan, Layers& layers)
      : GroupedNet(plan.frame, layers, plan.depths, [&](size_t g, int b) {
          return SwinBlock(layers, Block(g, b), plan.frame.features, SwinWindow(plan.window, b));
        }) {
    layers.PassOverAll(".attn_mask");
    layers.PassOverAll(".relative_position_index");
  }
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
    // In a block each pixel sees all of its window.
    int64_t radius = kFrameRadius;
    for (const int depth : plan.depths) radius += depth * (plan.window - 1) + 2;
    FrameTraits traits;
    traits.radius = radius;
    traits.grid = plan.window;
    const int64_t features = plan.frame.features;
    traits.per_pixel = 6 * features;
    traits.at_once = [plan, features](int64_t /*height*/, int64_t columns) {
      return std::max(
          WindowFloats(SwinWindow(plan.window, 0), columns, features, plan.heads, plan.window * plan.window),
          kPixelsAtOnce * (2 * plan.mlp + 2 * features));
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<SwinIrNet>(plan, std::move(parts), std::move(weights));
  }
};

const SwinIrArchitecture instance;

}  // namespace

extern const Architecture& kSwinIr;
const Architecture& kSwinIr = instance;

}  // namespace imgmill
