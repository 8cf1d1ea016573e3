// RFDN (Liu et al., "Residual Feature Distillation Network for Lightweight Image Super-Resolution", 2020,
// which won the AIM 2020 challenge): blocks of residual 3x3 convolutions; of what goes into each, a 1x1 layer
// keeps half the features for the end of the block, where spatial attention weighs what they come to.
//
// Weights: fea_conv, BN.c1_d, BN.c1_r, ..., BN.c4, BN.c5, BN.esa.*, c.0, LR_conv, upsampler.0.
#include <algorithm>
#include <cstring>
#include <vector>

#include "networks/architectures/spatial_attention.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr float kSlope = 0.05f;  // of all leaky ReLUs
/// The published models take and give 0..255, of which weights show no trace.
constexpr float kRange = 255;

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
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".c1_d.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

/// A 3x3 convolution that its input is added to, as one without.
ConvWeights WithInputAdded(ConvWeights conv) {
  if (!conv.weight.defined()) return conv;
  constexpr int64_t kPixels = 9, kCentre = 4;
  const int64_t channels = conv.weight.side(0);
  Buffer floats(static_cast<size_t>(conv.weight.count()) * sizeof(float));
  std::memcpy(floats.data(), conv.weight.data(), floats.size());
  for (int64_t c = 0; c < channels; ++c)
    reinterpret_cast<float*>(floats.data())[(c * channels + c) * kPixels + kCentre] += 1;
  conv.weight = {conv.weight.shape(), std::move(floats)};
  return conv;
}

/// The 1x1 layer over what all blocks gave: of as many at once as a convolution reads, and these added up.
FeatureMap Joined(GraphBuilder& graph, const Plan& plan, const std::vector<FeatureMap>& blocks) {
  const ConvWeights all = graph.layers().Conv("c.0", plan.features, plan.blocks * plan.features, 1);
  if (!all.weight.defined()) return blocks.front();  // Finish says what is wrong
  FeatureMap sum;
  for (int64_t b = 0; b < plan.blocks; b += kMostConvInputs) {
    const int64_t count = std::min<int64_t>(kMostConvInputs, plan.blocks - b);
    ConvWeights share = all;
    share.weight = all.weight.Some(1, b * plan.features, count * plan.features);
    GraphEnd end;
    if (b + count == plan.blocks) end.slope = kSlope;
    if (b > 0) {
      end.end = ConvEnd::kSumSlope;
      end.added = {{sum, 1.0f}};
      share.bias = {};
    }
    const std::vector<FeatureMap> some(blocks.begin() + b, blocks.begin() + b + count);
    sum = graph.Conv(share, some, end);
  }
  return sum;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights,
                     {.bands = static_cast<int>(plan.bands), .range = kRange, .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const GraphEnd leaky = {.slope = kSlope};
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
  x = graph.Conv("LR_conv", features, {Joined(graph, plan, blocks)}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish(
      {.map = graph.Conv("upsampler.0", shuffled, {x}, {.gain = 1 / kRange}), .shuffle = plan.scale});
}

class Rfdn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "RFDN"; }
  std::string_view known_by() const override { return "rfdn_baseline of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"fea_conv.weight", "B1.c1_d.weight", "B1.c1_r.weight", "B1.esa.conv_max.weight",
             "LR_conv.weight", "upsampler.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    parts.info.assumed = "values from 0 to 255 inside";
    OverlapWithAttention(parts);
    return {};
  }
};

const Rfdn instance;

}  // namespace

extern const GraphArchitecture& kRfdn;
const GraphArchitecture& kRfdn = instance;

}  // namespace imgmill
