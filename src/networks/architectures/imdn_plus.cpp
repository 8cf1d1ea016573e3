// IMDN+ (Zheng et al., in Li et al., "NTIRE 2022 Challenge on Efficient Super-Resolution", 2022): blocks of
// six 3x3 convolutions that become narrower: after each, a sixth of the features is kept for the end of the
// block. A file holds what the trained layers come to.
//
// Weights: FEM.0, FEM.1.sub.N.c1 to c7, FEM.1.sub.BLOCKS, RM.0.
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t steps = 0;  ///< convolutions of a block, but for the 1x1 one at its end
  int64_t blocks = 0;
  int scale = 0;
};

std::string Block(int64_t number) {
  return "FEM.1.sub." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("FEM.0.weight");
  const WeightTensor* last = weights.Find("RM.0.weight");
  if (first == nullptr || last == nullptr || weights.Find("FEM.1.sub.0.c1.weight") == nullptr) return false;
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.steps = CountOf(weights, 1, [](int i) { return Block(0) + ".c" + std::to_string(i) + ".weight"; }) - 1;
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".c1.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0 && plan.steps > 0 && plan.steps <= kMostConvInputs && plan.features % plan.steps == 0;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.features / plan.steps);
  const GraphEnd silu = {.end = ConvEnd::kSilu};
  const FeatureMap first = graph.Conv("FEM.0", features, {graph.input()});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const auto name = [&](int64_t step) { return Block(b) + ".c" + std::to_string(step); };
    std::vector<FeatureMap> joined;
    FeatureMap rest = x;
    for (int64_t s = 1; s < plan.steps; ++s) {
      const auto parts =
          graph.Split(graph.layers().Conv(name(s), rest.channels, rest.channels), rest, kept, silu);
      joined.push_back(parts.first);
      rest = parts.rest;
    }
    joined.push_back(graph.Conv(name(plan.steps), kept, {rest}, silu));
    x = graph.Conv(name(plan.steps + 1), features, joined, {.added = {{x, 1.0f}}}, 1);
  }
  x = graph.Conv(Block(plan.blocks), features, {x}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish({.map = graph.Conv("RM.0", shuffled, {x}), .shuffle = plan.scale});
}

class ImdnPlus final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "IMDN+"; }
  std::string_view known_by() const override { return "team39_imdn_plus of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"FEM.0.weight", "FEM.1.sub.0.c1.weight", "RM.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    parts.tile = kTile;
    parts.overlap = kOverlap;
    return {};
  }

 private:
  static constexpr int kTile = 384;
  /// What lies further away changes no value by more than 0.001 levels.
  static constexpr int kOverlap = 24;
};

const ImdnPlus instance;

}  // namespace

extern const GraphArchitecture& kImdnPlus;
const GraphArchitecture& kImdnPlus = instance;

}  // namespace imgmill
