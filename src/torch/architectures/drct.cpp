// DRCT (Hsu et al., "DRCT: Saving Image Super-Resolution away from Information Bottleneck", 2024): groups of
// five Swin Transformer blocks, each of which sees the group's input and what all before it gave, brought to
// a few features by a 1x1 convolution. Weights: layers.0.swin1.attn.qkv, layers.0.adjust1.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/swin_block.h"
#include "torch/architectures/transformer_frame.h"

namespace imgmill {
namespace {

constexpr int kBlocks = 5;
constexpr double kSlope = 0.2;     // of the leaky ReLUs behind all 1x1 convolutions but the last
constexpr double kResidual = 0.2;  // of what a group adds to its input

struct Plan {
  FramePlan frame;
  int64_t window = 0, heads = 1, growth = 0, mlp = 0;
  int groups = 0;
};

std::string Part(int group, const char* what, int number) {
  return "layers." + std::to_string(group) + "." + what + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* table = weights.Find(Part(0, "swin", 1) + ".attn.relative_position_bias_table");
  const WeightTensor* adjust = weights.Find(Part(0, "adjust", 1) + ".weight");
  const WeightTensor* wide = weights.Find(Part(0, "swin", 1) + ".mlp.fc1.weight");
  if (table == nullptr || adjust == nullptr || wide == nullptr || !ReadFrame(weights, plan.frame) ||
      plan.frame.tail != TailKind::kShuffle)
    return false;
  plan.window = WindowOfTable(table->dim(0));
  plan.heads = table->dim(1);
  plan.growth = adjust->dim(0);
  plan.groups = CountOf(weights, 0, [](int i) { return Part(i, "adjust", 1) + ".weight"; });
  plan.mlp = std::max(wide->dim(0), plan.frame.features + (kBlocks - 1) * plan.growth);
  plan.frame.multiple = plan.window;
  return plan.window > 0 && plan.heads > 0 && plan.growth > 0;
}

class DrctNet final : public FramedNet {
 public:
  DrctNet(const Plan& plan, Layers& layers) : FramedNet(plan.frame, layers) {
    const int64_t features = plan.frame.features;
    layers.PassOverAll(".attn_mask");
    layers.PassOverAll(".relative_position_index");
    for (int g = 0; g < plan.groups; ++g) {
      Group& group = groups_.emplace_back();
      for (int b = 0; b < kBlocks; ++b) {
        const int64_t inputs = features + b * plan.growth;
        const bool last = b + 1 == kBlocks;
        group.blocks.emplace_back(layers, Part(g, "swin", b + 1), inputs, SwinWindow(plan.window, b));
        group.adjusts.push_back(
            layers.Conv(Part(g, "adjust", b + 1), last ? features : plan.growth, inputs, 1));
      }
    }
  }

 protected:
  void Blocks(torch::Tensor& image) const override {
    for (const Group& group : groups_) image.add_(Run(group, image), kResidual);
  }

 private:
  struct Group {
    std::vector<SwinBlock> blocks;
    std::vector<Convolution> adjusts;
  };

  static torch::Tensor Run(const Group& group, const torch::Tensor& x) {
    torch::Tensor all = x;
    for (size_t i = 0;; ++i) {
      torch::Tensor made = all.clone();
      group.blocks[i](made);
      made = Pixels(group.adjusts[i](Planes(made)));
      if (i + 1 == group.blocks.size()) return made;
      all = torch::cat({all, torch::leaky_relu_(made, kSlope)}, 3);
    }
  }

  std::vector<Group> groups_;
};

class DrctArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DRCT"; }
  std::string_view known_by() const override { return "DRCT, DRCT-L, Real_DRCT_GAN"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.swin1.attn.relative_position_bias_table", "layers.0.adjust1.weight",
             "conv_before_upsample.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    FrameTraits traits;
    // In a block each pixel sees all of its window.
    traits.radius = kFrameRadius + plan.groups * kBlocks * (plan.window - 1);
    traits.grid = plan.window;
    const int64_t features = plan.frame.features, widest = features + (kBlocks - 1) * plan.growth;
    traits.per_pixel = 2 * features + 5 * widest;
    traits.at_once = [plan, widest](int64_t /*height*/, int64_t columns) {
      return std::max(
          WindowFloats(SwinWindow(plan.window, 0), columns, widest, plan.heads, plan.window * plan.window),
          kPixelsAtOnce * (2 * plan.mlp + 2 * widest));
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<DrctNet>(plan, std::move(parts), std::move(weights));
  }
};

const DrctArchitecture instance;

}  // namespace

extern const Architecture& kDrct;
const Architecture& kDrct = instance;

}  // namespace imgmill
