// RLFN (Kong et al., "Residual Local Feature Network for Efficient Super-Resolution", 2022, which won NTIRE
// 2022's challenge on efficient networks): blocks of three 3x3 convolutions and spatial attention.
//
// Weights: fea_conv, BN.c1_r, c2_r, c3_r, BN.c5, BN.esa.*, LR_conv, upsampler.0.
#include <algorithm>
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/pixel_bytes.h"
#include "torch/architectures/spatial_attention.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr double kSlope = 0.05;  // of all leaky ReLUs
/// The published model takes and gives 0..255, of which weights show no trace.
constexpr double kRange = 255;

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t middle = 0;  ///< features within a block
  int64_t blocks = 0;
  int scale = 0;
};

std::string Block(int64_t index) {
  return std::string("B").append(std::to_string(index + 1));
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("fea_conv.weight");
  const WeightTensor* inner = weights.Find("B1.c1_r.weight");
  const WeightTensor* last = weights.Find("upsampler.0.weight");
  // An RFDN has layers that keep features, too.
  if (first == nullptr || inner == nullptr || last == nullptr || weights.Find("B1.c1_d.weight") != nullptr ||
      weights.Find("B1.esa.conv3.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.middle = inner->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".c5.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

class RlfnNet final : public UpscaleNet {
 public:
  RlfnNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    first_ = layers.Conv("fea_conv", plan.features, plan.bands);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      LocalBlock& block = blocks_.emplace_back();
      block.convs[0] = layers.Conv(Block(b) + ".c1_r", plan.middle, plan.features);
      block.convs[1] = layers.Conv(Block(b) + ".c2_r", plan.middle, plan.middle);
      block.convs[2] = layers.Conv(Block(b) + ".c3_r", plan.features, plan.middle);
      block.fused = layers.Conv(Block(b) + ".c5", plan.features, plan.features, 1);
      block.attention = SpatialAttention(layers, Block(b) + ".esa", plan.features, {.three_layers = false});
    }
    body_ = layers.Conv("LR_conv", plan.features, plan.features);
    shuffled_ = layers.Conv("upsampler.0", plan.bands * plan.scale * plan.scale, plan.features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor first = first_(WithRoomForAttention(input) * kRange);
    torch::Tensor x = first;
    for (const LocalBlock& block : blocks_) x = Run(block, x);
    first.add_(body_(x));
    x.reset();
    return torch::pixel_shuffle(shuffled_(first), scale_)
        .slice(2, 0, input.size(2) * scale_)
        .slice(3, 0, input.size(3) * scale_)
        .div_(kRange);
  }

 private:
  struct LocalBlock {
    std::array<Convolution, 3> convs;
    Convolution fused;
    SpatialAttention attention;
  };

  static torch::Tensor Run(const LocalBlock& block, const torch::Tensor& input) {
    torch::Tensor x = input;
    for (const Convolution& conv : block.convs) {
      x = conv(x);
      torch::leaky_relu_(x, kSlope);
    }
    x = block.fused(x.add_(input));
    return block.attention(std::move(x));
  }

  int64_t scale_;
  Convolution first_, body_, shuffled_;
  std::vector<LocalBlock> blocks_;
};

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights,
                     {.bands = static_cast<int>(plan.bands), .range = kRange, .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features), middle = static_cast<int>(plan.middle);
  const GraphEnd leaky = {.slope = static_cast<float>(kSlope)};
  const FeatureMap first = graph.Conv("fea_conv", features, {graph.input()});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    FeatureMap y = graph.Conv(Block(b) + ".c1_r", middle, {x}, leaky);
    y = graph.Conv(Block(b) + ".c2_r", middle, {y}, leaky);
    y = graph.Conv(Block(b) + ".c3_r", features, {y},
                   {.slope = static_cast<float>(kSlope), .added = {{x, 1.0f}}});
    y = graph.Conv(Block(b) + ".c5", features, {y}, {}, 1);
    x = AddAttention(graph, Block(b) + ".esa", y, {.three_layers = false});
  }
  x = graph.Conv("LR_conv", features, {x}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish(
      {.map = graph.Conv("upsampler.0", shuffled, {x}, {.gain = static_cast<float>(1 / kRange)}),
       .shuffle = plan.scale});
}

class RlfnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "RLFN"; }
  std::string_view known_by() const override { return "team04_rlfn of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"fea_conv.weight", "B1.c1_r.weight", "B1.esa.conv3.weight", "LR_conv.weight", "upsampler.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.assumed = "values from 0 to 255 inside";
    UpscaleNetworkParts parts = PartsWithAttention(std::move(info));
    // First features, a block's input, a convolution's input and output in two orders.
    parts.bytes =
        BytesOfFloats(7 * std::max(plan.features, plan.middle) + 2 * plan.bands * plan.scale * plan.scale);
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<RlfnNet>(plan, std::move(parts), std::move(weights));
  }
};

const RlfnArchitecture instance;

}  // namespace

extern const Architecture& kRlfn;
const Architecture& kRlfn = instance;

}  // namespace imgmill
