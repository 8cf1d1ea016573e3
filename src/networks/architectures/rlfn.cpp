// RLFN (Kong et al., "Residual Local Feature Network for Efficient Super-Resolution", 2022, which won NTIRE
// 2022's challenge on efficient networks): blocks of three 3x3 convolutions and spatial attention.
//
// Weights: fea_conv, BN.c1_r, c2_r, c3_r, BN.c5, BN.esa.*, LR_conv, upsampler.0.
#include "networks/architectures/spatial_attention.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr float kSlope = 0.05f;  // of all leaky ReLUs
/// The published model takes and gives 0..255, of which weights show no trace.
constexpr float kRange = 255;

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

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights,
                     {.bands = static_cast<int>(plan.bands), .range = kRange, .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features), middle = static_cast<int>(plan.middle);
  const GraphEnd leaky = {.slope = kSlope};
  const FeatureMap first = graph.Conv("fea_conv", features, {graph.input()});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    FeatureMap y = graph.Conv(Block(b) + ".c1_r", middle, {x}, leaky);
    y = graph.Conv(Block(b) + ".c2_r", middle, {y}, leaky);
    y = graph.Conv(Block(b) + ".c3_r", features, {y}, {.slope = kSlope, .added = {{x, 1.0f}}});
    y = graph.Conv(Block(b) + ".c5", features, {y}, {}, 1);
    x = AddAttention(graph, Block(b) + ".esa", y, {.three_layers = false});
  }
  x = graph.Conv("LR_conv", features, {x}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish(
      {.map = graph.Conv("upsampler.0", shuffled, {x}, {.gain = 1 / kRange}), .shuffle = plan.scale});
}

class Rlfn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "RLFN"; }
  std::string_view known_by() const override { return "team04_rlfn of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"fea_conv.weight", "B1.c1_r.weight", "B1.esa.conv3.weight", "LR_conv.weight", "upsampler.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    parts.info.assumed = "values from 0 to 255 inside";
    OverlapWithAttention(parts);
    return {};
  }
};

const Rlfn instance;

}  // namespace

extern const GraphArchitecture& kRlfn;
const GraphArchitecture& kRlfn = instance;

}  // namespace imgmill
