// SAFMN (Sun et al., "Spatially-Adaptive Feature Modulation for Efficient Image Super-Resolution", ICCV
// 2023): blocks that weigh features by what they look like at four sizes, each followed by a convolution that
// mixes channels; pixel shuffle.
//
// Key layouts: the paper's (feats.N.norm1, feats.N.safm, feats.N.ccm), and that of its authors' entry to the
// NTIRE 2023 challenge, which has no norms and no biases in blocks, one norm before them by each channel's
// share of the image's energy (norm.gamma), squares twice as large, and the enlarged input added.
#include <string>
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr int kLevels = 4;  // sizes that features are looked at
constexpr double kEpsilon = 1e-6;

struct Plan {
  int features = 0;
  int hidden = 0;  ///< channels inside a mixer
  int blocks = 0;
  int scale = 0;
  bool entry = false;  ///< the challenge's

  /// Side of the squares that a level sees as one pixel.
  int square(int level) const { return level == 0 ? 1 : 1 << (level + (entry ? 1 : 0)); }
  /// An image has one of the largest, at least.
  int least() const { return square(kLevels - 1); }
};

std::string Block(int number) {
  return "feats." + std::to_string(number) + ".";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("to_feat.weight");
  const WeightTensor* mixer = weights.Find("feats.0.ccm.ccm.0.weight");
  const WeightTensor* last = weights.Find("to_img.0.weight");
  if (first == nullptr || mixer == nullptr || last == nullptr ||
      weights.Find("feats.0.safm.mfr.3.weight") == nullptr) {
    return false;
  }
  plan.entry = weights.Find("norm.gamma") != nullptr;
  if (!plan.entry && weights.Find("feats.0.norm1.weight") == nullptr) return false;
  plan.features = static_cast<int>(first->dim(0));
  plan.hidden = static_cast<int>(mixer->dim(0));
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + "safm.aggr.weight"; });
  plan.scale = ShuffleScale(last->dim(0));
  return plan.scale > 0 && plan.features > 0 && plan.features % kLevels == 0;
}

class SafmnGraph {
 public:
  SafmnGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan), graph_(weights, {.least = plan.least(), .continued = Continuation::kMirror}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    const int features = plan_.features;
    const FeatureMap first = graph_.Conv("to_feat", features, {graph_.input()});
    FeatureMap x = plan_.entry ? ByEnergy(first) : first;
    for (int b = 0; b < plan_.blocks; ++b) {
      x = Modulated(b, x);
      GraphEnd end = {.added = {{x, 1.0f}}};
      if (!plan_.entry && b + 1 == plan_.blocks) end.added.push_back({first, 1.0f});
      const std::string mixer = Block(b) + "ccm.ccm.";
      const FeatureMap inner = graph_.Conv(Layer(mixer + "0", plan_.hidden, features, {.bias = !plan_.entry}),
                                           {Normalized(b, "norm2", x)}, {.end = ConvEnd::kGelu});
      x = graph_.Conv(Layer(mixer + "2", features, plan_.hidden, {.side = 1, .bias = !plan_.entry}), {inner},
                      end);
    }
    return graph_.Finish({.map = graph_.Conv("to_img.0", 3 * plan_.scale * plan_.scale, {x}),
                          .shuffle = plan_.scale,
                          .adds_input = plan_.entry ? InputAdded::kBilinear : InputAdded::kNone});
  }

 private:
  ConvWeights Layer(const std::string& name, int64_t out, int64_t in, const ConvShape& shape) {
    return graph_.layers().Conv(name, out, in, shape);
  }

  FeatureMap Normalized(int block, const char* norm, const FeatureMap& x) {
    if (plan_.entry) return x;
    return graph_.Normalized(graph_.layers().Norm(Block(block) + norm, plan_.features, kEpsilon), x);
  }

  FeatureMap ByEnergy(const FeatureMap& x) {
    const std::vector<int64_t> shape = {1, plan_.features, 1, 1};
    const Values gamma = graph_.layers().Parameter("norm.gamma", shape);
    return graph_.EnergyNormalized(gamma, graph_.layers().Parameter("norm.beta", shape), kEpsilon, x);
  }

  FeatureMap Modulated(int block, const FeatureMap& input) {
    const std::string name = Block(block) + "safm.";
    const int part = plan_.features / kLevels;
    const FeatureMap x = Normalized(block, "norm1", input);
    const auto seen = [&](int level, const FeatureMap& from) {
      return graph_.Depthwise(
          Layer(name + "mfr." + std::to_string(level), part, part, {.groups = part, .bias = !plan_.entry}),
          from);
    };
    std::vector<FeatureMap> levels(1);
    for (int level = 1; level < kLevels; ++level)
      levels.push_back(seen(level, graph_.Pooled(x.Channels(level * part, part), plan_.square(level))));
    // The small maps are there whole before any is enlarged: what has the full size comes behind them.
    levels[0] = seen(0, x.Channels(0, part));
    for (size_t level = 1; level < kLevels; ++level)
      levels[level] = graph_.Resized(levels[level], x, Resizing::kNearest);
    return graph_.Conv(
        Layer(name + "aggr", plan_.features, plan_.features, {.side = 1, .bias = !plan_.entry}), levels,
        {.end = ConvEnd::kWeighGelu, .added = {{x, 1.0f}, {input, 1.0f}}});
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return SafmnGraph(plan, weights).Finish();
}

class Safmn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "SAFMN"; }
  std::string_view known_by() const override { return "SAFMN_DF2K_x4, SAFMN_L_Real_LSDIR_x4"; }

  std::vector<Telltales> telltales() const override {
    return {{"to_feat.weight", "feats.0.norm1.weight", "feats.0.safm.mfr.3.weight", "to_img.0.weight"},
            {"to_feat.weight", "norm.gamma", "feats.0.safm.mfr.3.weight", "to_img.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = plan.least();
    parts.overlap = kOverlap;
    return {};
  }

 private:
  static constexpr int kOverlap = 64;
};

const Safmn instance;

}  // namespace

extern const GraphArchitecture& kSafmn;
const GraphArchitecture& kSafmn = instance;

}  // namespace imgmill
