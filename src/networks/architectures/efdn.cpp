// EFDN (Wang, "Edge-enhanced Feature Distillation Network for Efficient Super-Resolution", 2022): four blocks
// of a 1x1 and two 3x3 convolutions with PReLU; half the features of each step go into what the block comes
// to, which spatial attention weighs. Outputs of blocks are joined in pairs on the way. A file holds what the
// trained layers come to.
//
// Weights: head, cells.N.conv1.conv1x1, conv2.rep_conv, conv3.rep_conv, cells.N.convK.act, cells.N.branch.K,
// cells.N.fuse, cells.N.att.*, local_fuse.N, tail.0.
#include <vector>

#include "networks/architectures/spatial_attention.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t kept = 0;  ///< of the features, by each branch
  int scale = 0;
};

std::string Block(int index) {
  return "cells." + std::to_string(index);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("head.weight");
  const WeightTensor* branch = weights.Find("cells.0.branch.0.weight");
  const WeightTensor* last = weights.Find("tail.0.weight");
  if (first == nullptr || branch == nullptr || last == nullptr ||
      weights.Find("cells.0.conv2.rep_conv.weight") == nullptr ||
      weights.Find("local_fuse.2.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.kept = branch->dim(0);
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

FeatureMap AddBlock(GraphBuilder& graph, const Plan& plan, int b, const FeatureMap& input) {
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const auto keep = [&](int branch, const FeatureMap& from) {
    return graph.Conv(Block(b) + ".branch." + std::to_string(branch), kept, {from}, {}, 1);
  };
  std::vector<FeatureMap> joined = {keep(0, input)};
  FeatureMap x = input;
  for (int s = 1; s <= 3; ++s) {
    const std::string step = Block(b) + ".conv" + std::to_string(s);
    const Values slopes = graph.layers().Parameter(step + ".act.weight", {plan.features});
    x = s == 1 ? graph.Conv(step + ".conv1x1", features, {x}, {.slopes = slopes}, 1)
               : graph.Conv(step + ".rep_conv", features, {x}, {.slopes = slopes});
    joined.push_back(keep(s, x));
  }
  const FeatureMap fused = graph.Conv(Block(b) + ".fuse", features, joined, {}, 1);
  return AddAttention(graph, Block(b) + ".att", fused, {}, &input);
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands), .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features);
  const auto join = [&](int pair, const FeatureMap& one, const FeatureMap& other, const GraphEnd& end = {}) {
    return graph.Conv("local_fuse." + std::to_string(pair), features, {one, other}, end, 1);
  };
  const FeatureMap first = graph.Conv("head", features, {graph.input()});
  // The first two blocks follow each other. Each further one sees the last two outputs joined, and its own is
  // then joined with the second block's.
  FeatureMap x = AddBlock(graph, plan, 0, first);
  const FeatureMap second = AddBlock(graph, plan, 1, x);
  x = AddBlock(graph, plan, 2, join(0, x, second));
  x = AddBlock(graph, plan, 3, join(1, second, x));
  x = join(2, second, x, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish({.map = graph.Conv("tail.0", shuffled, {x}), .shuffle = plan.scale});
}

class Efdn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "EFDN"; }
  std::string_view known_by() const override { return "team01_efdn of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"head.weight", "cells.0.conv2.rep_conv.weight", "local_fuse.2.weight", "tail.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    OverlapWithAttention(parts);
    return {};
  }
};

const Efdn instance;

}  // namespace

extern const GraphArchitecture& kEfdn;
const GraphArchitecture& kEfdn = instance;

}  // namespace imgmill
