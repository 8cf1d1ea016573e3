// IMDN (Hui et al., "Lightweight Image Super-Resolution with Information Multi-distillation Network", 2019)
// in the form without channel attention that won the AIM 2019 challenge and was the baseline of NTIRE 2022.
// Each block has four 3x3 convolutions; after each, some features are kept for the end of the block and the
// rest continues.
//
// Weights: model.0, model.1.sub.N.conv1.0 to conv3.0, conv4 and conv1x1, model.1.sub.BLOCKS, model.2.
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr float kSlope = 0.05f;  // of all leaky ReLUs

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t kept = 0;  ///< after each convolution of a block
  int64_t blocks = 0;
  int scale = 0;
};

std::string Block(int64_t number) {
  return "model.1.sub." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("model.0.weight");
  const WeightTensor* fourth = weights.Find("model.1.sub.0.conv4.weight");
  const WeightTensor* last = weights.Find("model.2.weight");
  if (first == nullptr || fourth == nullptr || last == nullptr ||
      weights.Find("model.1.sub.0.conv1.0.weight") == nullptr ||
      weights.Find("model.1.sub.0.conv1x1.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.kept = fourth->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".conv1.0.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  if (plan.kept < 1 || plan.kept >= plan.features) {
    return WeightError("its tensor model.1.sub.0.conv4.weight keeps " + std::to_string(plan.kept) + " of " +
                       std::to_string(plan.features) + " features");
  }
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const GraphEnd leaky = {.slope = kSlope};
  const FeatureMap first = graph.Conv("model.0", features, {graph.input()});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    std::vector<FeatureMap> joined;
    FeatureMap rest = x;
    for (int c = 1; c <= 3; ++c) {
      const std::string name = Block(b) + ".conv" + std::to_string(c) + ".0";
      const auto parts = graph.Split(graph.layers().Conv(name, features, rest.channels), rest, kept, leaky);
      joined.push_back(parts.first);
      rest = parts.rest;
    }
    joined.push_back(graph.Conv(Block(b) + ".conv4", kept, {rest}));
    x = graph.Conv(Block(b) + ".conv1x1", features, joined, {.added = {{x, 1.0f}}}, 1);
  }
  x = graph.Conv(Block(plan.blocks), features, {x}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish({.map = graph.Conv("model.2", shuffled, {x}), .shuffle = plan.scale});
}

class Imdn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "IMDN"; }
  std::string_view known_by() const override { return "imdn_baseline of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"model.0.weight", "model.1.sub.0.conv1.0.weight", "model.1.sub.0.conv1x1.weight", "model.2.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    parts.tile = kTile;
    parts.overlap = kOverlap;
    return {};
  }

 private:
  static constexpr int kTile = 336;  // a batch of one fits 512 MiB beside an image
  /// What lies further away changes no value by more than 0.001 levels.
  static constexpr int kOverlap = 24;
};

const Imdn instance;

}  // namespace

extern const GraphArchitecture& kImdn;
const GraphArchitecture& kImdn = instance;

}  // namespace imgmill
