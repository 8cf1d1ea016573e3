// RFDN (Liu et al., "Residual Feature Distillation Network for Lightweight Image Super-Resolution", 2020,
// which won the AIM 2020 challenge): blocks of residual 3x3 convolutions; of what goes into each, a 1x1 layer
// keeps half the features for the end of the block, where spatial attention weighs what they come to.
//
// Weights: fea_conv, BN.c1_d, BN.c1_r, ..., BN.c4, BN.c5, BN.esa.*, c.0, LR_conv, upsampler.0.
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/joined_conv.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/pixel_bytes.h"
#include "torch/architectures/spatial_attention.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr double kSlope = 0.05;  // of all leaky ReLUs
/// The published models take and give 0..255, of which weights show no trace.
constexpr double kRange = 255;

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t kept = 0;  ///< of the features, by each 1x1 layer
  int64_t blocks = 0;
  int scale = 0;
};

std::string Block(int64_t index) {
  return std::string("B").append(std::to_string(index + 1));
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("fea_conv.weight");
  const WeightTensor* keep = weights.Find("B1.c1_d.weight");
  const WeightTensor* last = weights.Find("upsampler.0.weight");
  if (first == nullptr || keep == nullptr || last == nullptr || weights.Find("B1.c1_r.weight") == nullptr ||
      weights.Find("B1.esa.conv_max.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.kept = keep->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".c5.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

class RfdnNet final : public UpscaleNet {
 public:
  RfdnNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    const int64_t features = plan.features;
    first_ = layers.Conv("fea_conv", features, plan.bands);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      Distillation& block = blocks_.emplace_back();
      for (size_t s = 0; s < block.keep.size(); ++s) {
        const std::string step = Block(b) + ".c" + std::to_string(s + 1);
        block.keep[s] = layers.Conv(step + "_d", plan.kept, features, 1);
        block.convs[s] = layers.Conv(step + "_r", features, features);
      }
      block.last = layers.Conv(Block(b) + ".c4", plan.kept, features);
      block.joined = layers.Conv(Block(b) + ".c5", features, 4 * plan.kept, 1);
      block.attention = SpatialAttention(layers, Block(b) + ".esa", features, {});
    }
    joined_ = layers.Conv("c.0", features, plan.blocks * features, 1);
    body_ = layers.Conv("LR_conv", features, features);
    shuffled_ = layers.Conv("upsampler.0", plan.bands * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor first = first_(WithRoomForAttention(input) * kRange);
    {
      JoinedConv joined(joined_);
      torch::Tensor x = first;
      for (const Distillation& block : blocks_) {
        x = Run(block, x);
        joined.Add(x);
      }
      first.add_(body_(Activated(joined.Take())));
    }
    return torch::pixel_shuffle(shuffled_(first), scale_)
        .slice(2, 0, input.size(2) * scale_)
        .slice(3, 0, input.size(3) * scale_)
        .div_(kRange);
  }

 private:
  struct Distillation {
    std::array<Convolution, 3> keep, convs;
    Convolution last, joined;
    SpatialAttention attention;
  };

  static torch::Tensor Activated(torch::Tensor x) { return torch::leaky_relu_(x, kSlope); }

  static torch::Tensor Run(const Distillation& block, const torch::Tensor& input) {
    JoinedConv joined(block.joined);
    torch::Tensor x = input;
    for (size_t s = 0; s < block.convs.size(); ++s) {
      joined.Add(Activated(block.keep[s](x)));
      x = Activated(block.convs[s](x).add_(x));
    }
    joined.Add(Activated(block.last(x)));
    x.reset();
    return block.attention(joined.Take());
  }

  int64_t scale_;
  Convolution first_, joined_, body_, shuffled_;
  std::vector<Distillation> blocks_;
};

/// A 3x3 convolution that its input is added to, as one without.
Convolution WithInputAdded(Convolution conv) {
  if (conv.weight.defined()) {
    for (int64_t c = 0; c < conv.weight.size(0); ++c) conv.weight[c][c][1][1] += 1;
  }
  return conv;
}

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights,
                     {.bands = static_cast<int>(plan.bands), .range = kRange, .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const GraphEnd leaky = {.slope = static_cast<float>(kSlope)};
  const FeatureMap first = graph.Conv("fea_conv", features, {graph.input()});
  std::vector<FeatureMap> blocks;
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    std::vector<FeatureMap> joined;
    for (int c = 1; c <= 3; ++c) {
      const std::string step = Block(b) + ".c" + std::to_string(c);
      joined.push_back(graph.Conv(step + "_d", kept, {x}, leaky, 1));
      x = graph.Conv(WithInputAdded(graph.layers().Conv(step + "_r", features, features)), {x}, leaky);
    }
    joined.push_back(graph.Conv(Block(b) + ".c4", kept, {x}, leaky));
    x = graph.Conv(Block(b) + ".c5", features, joined, {}, 1);
    x = AddAttention(graph, Block(b) + ".esa", x, {});
    blocks.push_back(x);
  }
  x = graph.Conv("c.0", features, blocks, leaky, 1);
  x = graph.Conv("LR_conv", features, {x}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish(
      {.map = graph.Conv("upsampler.0", shuffled, {x}, {.gain = static_cast<float>(1 / kRange)}),
       .shuffle = plan.scale});
}

class RfdnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "RFDN"; }
  std::string_view known_by() const override { return "rfdn_baseline of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"fea_conv.weight", "B1.c1_d.weight", "B1.c1_r.weight", "B1.esa.conv_max.weight",
             "LR_conv.weight", "upsampler.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.assumed = "values from 0 to 255 inside";
    UpscaleNetworkParts parts = PartsWithAttention(std::move(info));
    // First features, the sum over the blocks, a block's input and sum, a convolution's input and output in
    // two orders.
    parts.bytes = BytesOfFloats(9 * plan.features + 2 * plan.bands * plan.scale * plan.scale);
    if (plan.blocks <= kMostConvInputs) RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<RfdnNet>(plan, std::move(parts), std::move(weights));
  }
};

const RfdnArchitecture instance;

}  // namespace

extern const Architecture& kRfdn;
const Architecture& kRfdn = instance;

}  // namespace imgmill
