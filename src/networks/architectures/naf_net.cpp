// NAFNet (Chen et al., "Simple Baselines for Image Restoration", 2022), which takes away noise and blur:
// blocks that multiply the halves of their channels with each other, at sizes that are halved and doubled
// again; what was found at a size on the way down is added on the way up.
//
// Weights: intro, encoders.0.0.conv1, downs.0, middle_blks.0, ups.0.0, decoders.0.0, ending.
#include <string>
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kNormEpsilon = 1e-6;
constexpr int64_t kMostLevels = 6;

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  std::vector<int> encoders, decoders;  ///< blocks at each size, from the image's on
  int middle = 0;
  int64_t multiple() const { return int64_t{1} << encoders.size(); }
};

std::string InLevel(const char* part, size_t level, int block) {
  return std::string(part) + "." + std::to_string(level) + "." + std::to_string(block);
}

std::vector<int> BlocksOf(const StateDict& weights, const char* part) {
  std::vector<int> blocks;
  for (size_t level = 0; level < kMostLevels; ++level) {
    const int count = CountOf(weights, 0, [&](int i) { return InLevel(part, level, i) + ".conv1.weight"; });
    if (count == 0) break;
    blocks.push_back(count);
  }
  return blocks;
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("intro.weight");
  if (first == nullptr || weights.Find("ending.weight") == nullptr ||
      weights.Find("encoders.0.0.sca.1.weight") == nullptr || weights.Find("downs.0.weight") == nullptr ||
      weights.Find("ups.0.0.weight") == nullptr)
    return false;
  plan.features = first->dim(0);
  plan.bands = first->dim(1);
  plan.encoders = BlocksOf(weights, "encoders");
  plan.decoders = BlocksOf(weights, "decoders");
  plan.middle =
      CountOf(weights, 0, [](int i) { return "middle_blks." + std::to_string(i) + ".conv1.weight"; });
  return (plan.bands == 1 || plan.bands == 3) && plan.middle > 0 &&
         plan.encoders.size() == plan.decoders.size();
}

class NafGraph {
 public:
  NafGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan),
        graph_(weights, {.bands = static_cast<int>(plan.bands),
                         .multiple = static_cast<int>(plan.multiple()),
                         .continued = Continuation::kBlack}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    FeatureMap x = graph_.Conv("intro", static_cast<int>(plan_.features), {graph_.input()});
    std::vector<FeatureMap> seen;
    for (size_t level = 0; level < plan_.encoders.size(); ++level) {
      for (int b = 0; b < plan_.encoders[level]; ++b) x = Block(InLevel("encoders", level, b), x);
      seen.push_back(x);
      x = graph_.Strided("downs." + std::to_string(level), 2 * x.channels, x, 2, 2);
    }
    for (int b = 0; b < plan_.middle; ++b) x = Block("middle_blks." + std::to_string(b), x);
    for (size_t level = 0; level < plan_.decoders.size(); ++level) {
      const ConvWeights up = graph_.layers().Conv("ups." + std::to_string(level) + ".0", 2 * x.channels,
                                                  x.channels, {.side = 1, .bias = false});
      x = graph_.DoubledInSize(up, x, {.added = {{seen.back(), 1.0f}}});
      seen.pop_back();
      for (int b = 0; b < plan_.decoders[level]; ++b) x = Block(InLevel("decoders", level, b), x);
    }
    return graph_.Finish({.map = graph_.Conv("ending", static_cast<int>(plan_.bands), {x}),
                          .adds_input = InputAdded::kNearest});
  }

 private:
  FeatureMap Block(const std::string& name, const FeatureMap& input) {
    LayerWeights& layers = graph_.layers();
    const int features = input.channels;
    const auto conv = [&](const char* layer, int64_t out, const ConvShape& shape) {
      return layers.Conv(name + layer, out, shape.groups > 1 ? out : features, shape);
    };
    // The product of both halves of the channels, which are read apart.
    const auto gated = [&](const FeatureMap& halves) {
      return graph_.Product(halves.Channels(0, features),
                            halves.Channels(GraphBuilder::RestBegins(features), features));
    };
    FeatureMap x = graph_.Normalized(layers.Norm(name + ".norm1", features, kNormEpsilon), input);
    x = graph_.Conv(GraphBuilder::Apart(conv(".conv1", 2 * features, {.side = 1}), features), {x});
    const ConvWeights depthwise = conv(".conv2", 2 * features, {.groups = 2 * features});
    x = gated(graph_.Depthwise(GraphBuilder::Apart(depthwise, features), x));
    x = graph_.Scaled(x, graph_.Conv(name + ".sca.1", features, {graph_.Mean(x)}, {}, 1), {}, {});
    x = graph_.Conv(Shared(name + ".conv3", name + ".beta", features), {x}, {.added = {{input, 1.0f}}});
    FeatureMap inner = graph_.Normalized(layers.Norm(name + ".norm2", features, kNormEpsilon), x);
    inner =
        gated(graph_.Conv(GraphBuilder::Apart(conv(".conv4", 2 * features, {.side = 1}), features), {inner}));
    return graph_.Conv(Shared(name + ".conv5", name + ".gamma", features), {inner}, {.added = {{x, 1.0f}}});
  }
  /// A 1x1 convolution whose outputs are multiplied by learned factors.
  ConvWeights Shared(const std::string& name, const std::string& factors, int features) {
    ConvWeights conv = graph_.layers().Conv(name, features, features, 1);
    const Values share = graph_.layers().Parameter(factors, {1, features, 1, 1});
    if (!conv.weight.defined() || !conv.bias.defined() || !share.defined()) return conv;
    conv.weight = conv.weight.Times(share, 0);
    conv.bias = conv.bias.Times(share, 0);
    return conv;
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return NafGraph(plan, weights).Finish();
}

class NafNet final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "NAFNet"; }
  std::string_view known_by() const override {
    return "NAFNet-SIDD-width64, NAFNet-GoPro-width32, NAFNet-REDS";
  }

  std::vector<Telltales> telltales() const override {
    return {{"intro.weight", "encoders.0.0.sca.1.weight", "downs.0.weight", "middle_blks.0.conv1.weight",
             "ups.0.0.weight", "ending.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = static_cast<int>(plan.multiple());
    parts.overlap = kOverlap;
    return {};
  }

 private:
  static constexpr int kOverlap = 64;
};

const NafNet instance;

}  // namespace

extern const GraphArchitecture& kNafNet;
const GraphArchitecture& kNafNet = instance;

}  // namespace imgmill
