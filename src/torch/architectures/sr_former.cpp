// SRFormer (Zhou et al., "SRFormer: Permuted Self-Attention for Single Image Super-Resolution", 2023): SwinIR
// with windows of up to 24, whose keys and values have a quarter of the features, so that those of four
// pixels make one of all features; and a depthwise convolution in the feed-forward layers. Weights: SwinIR's
// names with attn.q and attn.kv instead of attn.qkv, and mlp.dwconv.depthwise_conv.0.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/conv_feed_forward.h"
#include "torch/architectures/packed_linear.h"
#include "torch/architectures/transformer_frame.h"
#include "torch/architectures/window_attention.h"

namespace imgmill {
namespace {

/// Pixels a side that make one key.
constexpr int64_t kStep = 2;

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
  if (table == nullptr || wide == nullptr || weights.Find(Block(0, 0) + ".attn.kv.weight") == nullptr ||
      weights.Find(Block(0, 0) + ".mlp.dwconv.depthwise_conv.0.weight") == nullptr ||
      !ReadFrame(weights, plan.frame))
    return false;
  plan.window = kStep * WindowOfTable(table->dim(0));
  plan.heads = table->dim(1);
  plan.mlp = wide->dim(0);
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".norm1.weight"; });
  plan.frame.multiple = plan.window;
  return plan.window > 0 && plan.heads > 0 && plan.frame.features % 4 == 0 && !plan.depths.empty();
}

class PermutedBlock {
 public:
  PermutedBlock(Layers& layers, const std::string& name, const Plan& plan, int number)
      : heads_(layers.Side(name + ".attn.relative_position_bias_table", 1)) {
    const int64_t features = plan.frame.features, side = 2 * (plan.window / kStep) - 1;
    const int64_t shift = number % 2 == 0 ? 0 : plan.window / 2;
    shape_ = {plan.window, plan.window, shift, shift, kStep};
    norm1_ = layers.Norm(name + ".norm1", features);
    norm2_ = layers.Norm(name + ".norm2", features);
    const bool bias = layers.Has(name + ".attn.q.bias");
    q_ = PackedLinear(layers.Dense(name + ".attn.q", features, features, bias));
    kv_ = PackedLinear(layers.Dense(name + ".attn.kv", features / 2, features, bias));
    out_ = PackedLinear(layers.Dense(name + ".attn.proj", features, features));
    table_ = layers.Parameter(name + ".attn.relative_position_bias_table", {side * side, heads_});
    mlp_ = ConvFeedForward(layers, name + ".mlp", features);
  }

  void operator()(torch::Tensor& image) const {
    image.add_(ForWindows(image, shape_, Bias(image.device()),
                          [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                            const torch::Tensor x = norm1_(windows);
                            const torch::Tensor kv = SplitHeads(Permuted(kv_(x)), 2, heads_);
                            return out_(Attend(SplitHeads(q_(x), 1, heads_)[0], kv[0], kv[1], bias));
                          }));
    mlp_.AddTo(image, norm2_);
  }

 private:
  /// windows x pixels x (2 * quarter) to windows x keys x (2 * features): the quarters of four pixels behind
  /// one another.
  torch::Tensor Permuted(const torch::Tensor& kv) const {
    const int64_t side = shape_.height / kStep;
    return kv.view({kv.size(0), side, kStep, side, kStep, 2, kv.size(2) / 2})
        .permute({0, 1, 3, 5, 2, 4, 6})
        .reshape({kv.size(0), side * side, kv.size(2) * kStep * kStep});
  }

  /// Each pixel has the offsets of the key that it is a part of.
  torch::Tensor Bias(c10::Device device) const {
    const int64_t side = shape_.height / kStep;
    const torch::Tensor index = RelativeIndex(side, side, device)
                                    .view({side, 1, side, 1, side * side})
                                    .expand({side, kStep, side, kStep, side * side});
    return RelativeBias(table_, index.reshape({shape_.pixels(), side * side}));
  }

  int64_t heads_;
  WindowShape shape_;
  LayerNorm norm1_, norm2_;
  PackedLinear q_, kv_, out_;
  torch::Tensor table_;
  ConvFeedForward mlp_;
};

class SrFormerNet final : public GroupedNet<PermutedBlock> {
 public:
  SrFormerNet(const Plan& plan, Layers& layers)
      : GroupedNet(plan.frame, layers, plan.depths,
                   [&](size_t g, int b) { return PermutedBlock(layers, Block(g, b), plan, b); }) {
    layers.PassOverAll(".attn_mask");
    layers.PassOverAll(".aligned_relative_position_index");
  }
};

class SrFormerArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SRFormer"; }
  std::string_view known_by() const override { return "SRFormer, SRFormer-light"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.residual_group.blocks.0.attn.kv.weight",
             "layers.0.residual_group.blocks.0.mlp.dwconv.depthwise_conv.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    // In a block each pixel sees all of its window, and then what a 5x5 convolution reaches.
    int64_t radius = kFrameRadius;
    for (const int depth : plan.depths) radius += depth * (plan.window - 1 + 2) + 2;
    FrameTraits traits;
    traits.radius = radius;
    traits.grid = plan.window;
    const int64_t features = plan.frame.features;
    traits.per_pixel = 6 * features;
    traits.at_once = [plan, features](int64_t /*height*/, int64_t columns) {
      const WindowShape shape = {.height = plan.window, .width = plan.window};
      return std::max(WindowFloats(shape, columns, features, plan.heads, shape.pixels() / (kStep * kStep)),
                      PixelsInRows(columns, 2) * (4 * plan.mlp + 2 * features));
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<SrFormerNet>(plan, std::move(parts), std::move(weights));
  }
};

const SrFormerArchitecture instance;

}  // namespace

extern const Architecture& kSrFormer;
const Architecture& kSrFormer = instance;

}  // namespace imgmill
