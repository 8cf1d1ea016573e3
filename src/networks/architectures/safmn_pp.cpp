// SAFMN++ (SAFMN's authors' entry to the NTIRE 2024 challenge on efficient super-resolution: Ren et al., "The
// Ninth NTIRE 2024 Efficient Super-Resolution Challenge Report", 2024, and to AIS 2024's on real-time 4K):
// blocks of one convolution of which some channels are weighed by what they look like at an eighth of the
// size, and one that mixes channels; pixel shuffle. No layer has a bias.
//
// Key layouts: feats.N.conv2.conv1 in the first, where blocks are residual and the enlarged input is added;
// feats.N.conv2.conv.0 in the second, "light" one, where only the features of the first layer are added to
// those of the last block.
#include <string>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

/// Side of the squares that are seen as one pixel.
constexpr int kSquare = 8;

struct Plan {
  int features = 0;
  int weighed = 0;  ///< channels that are
  int hidden = 0;   ///< channels inside a mixer
  int blocks = 0;
  int scale = 0;
  bool light = false;
};

std::string Block(int number) {
  return "feats." + std::to_string(number) + ".";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("to_feat.weight");
  const WeightTensor* small = weights.Find("feats.0.conv1.dwconv.weight");
  const WeightTensor* mixer = weights.Find("feats.0.conv2.conv1.weight");
  const WeightTensor* last = weights.Find("to_img.0.weight");
  plan.light = mixer == nullptr;
  if (plan.light) mixer = weights.Find("feats.0.conv2.conv.0.weight");
  if (first == nullptr || small == nullptr || mixer == nullptr || last == nullptr) return false;
  plan.features = static_cast<int>(first->dim(0));
  plan.weighed = static_cast<int>(small->dim(0));
  plan.hidden = static_cast<int>(mixer->dim(0));
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + "conv1.proj.weight"; });
  plan.scale = ShuffleScale(last->dim(0));
  return plan.scale > 0 && plan.weighed > 0 && plan.weighed < plan.features;
}

class SafmnPpGraph {
 public:
  SafmnPpGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan), graph_(weights, {.least = kSquare, .continued = Continuation::kMirror}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    const int features = plan_.features, outputs = 3 * plan_.scale * plan_.scale;
    const FeatureMap first = graph_.Conv(Layer("to_feat", features, 3, 3), {graph_.input()});
    FeatureMap x = first;
    for (int b = 0; b < plan_.blocks; ++b) {
      const std::string mixer = Block(b) + (plan_.light ? "conv2.conv." : "conv2.conv");
      const FeatureMap inner =
          graph_.Conv(Layer(mixer + (plan_.light ? "0" : "1"), plan_.hidden, features, 3), {Modulated(b, x)},
                      {.end = ConvEnd::kGelu});
      GraphEnd end;
      if (!plan_.light) end.added = {{x, 1.0f}};
      if (plan_.light && b + 1 == plan_.blocks) end.added = {{first, 1.0f}};
      x = graph_.Conv(Layer(mixer + "2", features, plan_.hidden, 1), {inner}, end);
    }
    return graph_.Finish({.map = graph_.Conv(Layer("to_img.0", outputs, features, 3), {x}),
                          .shuffle = plan_.scale,
                          .adds_input = plan_.light ? InputAdded::kNone : InputAdded::kBilinear});
  }

 private:
  ConvWeights Layer(const std::string& name, int64_t out, int64_t in, int64_t side) {
    return graph_.layers().Conv(name, out, in, {.side = side, .bias = false});
  }

  FeatureMap Modulated(int block, const FeatureMap& input) {
    const std::string name = Block(block) + "conv1.";
    const int features = plan_.features, weighed = plan_.weighed;
    const ConvWeights all = Layer(name + "proj", features, features, 3);
    const ConvWeights small =
        graph_.layers().Conv(name + "dwconv", weighed, weighed, {.groups = weighed, .bias = false});
    const FeatureMap x = graph_.Conv(all.Some(0, weighed), {input});
    FeatureMap gate = graph_.Depthwise(small, graph_.Pooled(x, kSquare));
    gate = graph_.Function(graph_.Resized(gate, x, Resizing::kBilinear), MapFunction::kGelu);
    gate = graph_.Function(graph_.Product(gate, x), MapFunction::kGelu);
    // Behind the small map, which is there whole before it is enlarged.
    const FeatureMap others =
        graph_.Conv(all.Some(weighed, features - weighed), {input}, {.end = ConvEnd::kGelu});
    return graph_.Conv(Layer(name + "out", features, features, 1), {others, gate});
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return SafmnPpGraph(plan, weights).Finish();
}

class SafmnPp final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "SAFMN++"; }
  std::string_view known_by() const override { return "team23_safmnpp, light_safmnpp"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"to_feat.weight", "feats.0.conv1.proj.weight", "feats.0.conv1.dwconv.weight", "to_img.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = kSquare;
    parts.overlap = kOverlap;
    return {};
  }

 private:
  static constexpr int kOverlap = 64;
};

const SafmnPp instance;

}  // namespace

extern const GraphArchitecture& kSafmnPp;
const GraphArchitecture& kSafmnPp = instance;

}  // namespace imgmill
