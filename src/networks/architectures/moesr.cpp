// MoESR (umzi, 2024; after Yu and Wang, "MambaOut: Do We Really Need Mamba for Vision?"): groups of blocks of
// a 3x3 convolution to a gate and what it lets through, part of which depthwise convolutions see, a small
// square, a row and a column; at the end of each group three more blocks at half the size, among four times
// as many pixels as channels.
//
// Key layout: in_to_dim, blocks.N.blocks.M.{norm,fc1,conv.dwconv_hw,conv.dwconv_w,conv.dwconv_h,fc2,gamma},
// blocks.N.msg.{down.0,gated.M,up.0}; upscale.MetaUpsample, which says how features become an image.
#include <string>

#include "networks/architectures/uni_enlarging.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr float kSlope = 0.1f;                      // of leaky ReLUs about what is done at half the size
constexpr int64_t kShare = 8;                       // of the channels, which each of three kernels sees
constexpr int64_t kSquareSide = 3, kBandSide = 11;  // of them
constexpr int kHalf = 2, kHalfBlocks = 3;

struct Plan {
  int features = 0, groups = 0, blocks = 0;
  int hidden = 0, half_hidden = 0;  ///< channels of the gates
  int bands = 3;
  UniUpsampleShape up;
};

std::string Group(int number) {
  return "blocks." + std::to_string(number) + ".";
}
std::string Block(int group, int number) {
  return Group(group) + "blocks." + std::to_string(number);
}
std::string HalfBlock(int group, int number) {
  return Group(group) + "msg.gated." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("in_to_dim.weight");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".fc1.weight");
  const WeightTensor* half_wide = weights.Find(HalfBlock(0, 0) + ".fc1.weight");
  if (first == nullptr || wide == nullptr || half_wide == nullptr ||
      weights.Find(Block(0, 0) + ".gamma") == nullptr ||
      weights.Find(Block(0, 0) + ".conv.dwconv_hw.weight") == nullptr)
    return false;
  plan.features = static_cast<int>(first->dim(0));
  plan.bands = static_cast<int>(first->dim(1));
  plan.groups = CountOf(weights, 0, [](int i) { return Block(i, 0) + ".fc1.weight"; });
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(0, i) + ".fc1.weight"; });
  plan.hidden = static_cast<int>(wide->dim(0) / 2);
  plan.half_hidden = static_cast<int>(half_wide->dim(0) / 2);
  return ReadUniUpsample(weights, "upscale", plan.features, plan.up) &&
         (plan.bands == 1 || plan.bands == 3) && plan.up.bands == plan.bands;
}

class MoesrGraph {
 public:
  MoesrGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan), graph_(weights, {.bands = plan.bands, .multiple = kHalf}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    const FeatureMap first = graph_.Conv("in_to_dim", plan_.features, {graph_.input()});
    FeatureMap x = first;
    for (int group = 0; group < plan_.groups; ++group) {
      for (int b = 0; b < plan_.blocks; ++b) x = AddBlock(Block(group, b), plan_.hidden, x);
      std::vector<AddedMap> added = {{x, 1.0f}};
      if (group + 1 == plan_.groups) added.push_back({first, 1.0f});
      x = AtHalfSize(group, x, added);
    }
    return graph_.Finish(AddUniEnlarging(graph_, "upscale", plan_.up, x));
  }

 private:
  FeatureMap AddBlock(const std::string& name, int hidden, const FeatureMap& input) {
    LayerWeights& layers = graph_.layers();
    const int features = plan_.features;
    const FeatureMap x = graph_.Normalized(layers.Norm(name + ".norm", features, kEpsilon), input);
    const ConvWeights wide = layers.Conv(name + ".fc1", 2 * hidden, features);
    const FeatureMap gate = graph_.Conv(wide.Some(0, hidden), {x}, {.end = ConvEnd::kMish});
    FeatureMap through = graph_.Conv(wide.Some(hidden, hidden), {x});
    through = graph_.Depthwise(GraphBuilder::PassingOn(Kernels(name + ".conv.dwconv_"), hidden), through);
    GraphEnd end = {.end = ConvEnd::kMish, .added = {{input, 1.0f}}};
    end.slopes = layers.Parameter(name + ".gamma", {1, features, 1, 1});
    return graph_.Conv(name + ".fc2", features, {graph_.Product(gate, through)}, end);
  }

  /// A square of the first channels that are convolved, a row of the next, a column of the last.
  ConvWeights Kernels(const std::string& name) {
    const int64_t each = plan_.features / kShare;
    const auto kernel = [&](const char* which, int64_t height, int64_t width) {
      const ConvShape shape = {.side = height, .width = width, .groups = each};
      return GraphBuilder::Centred(graph_.layers().Conv(name + which, each, each, shape), kBandSide);
    };
    const ConvWeights square = kernel("hw", kSquareSide, kSquareSide), row = kernel("w", 1, kBandSide),
                      column = kernel("h", kBandSide, 1);
    for (const ConvWeights& one : {square, row, column}) {
      if (!one.weight.defined() || !one.bias.defined()) return {};  // Finish says what is wrong
    }
    ConvWeights all = square;
    all.shape = {.side = kBandSide, .groups = 3 * each};
    all.weight = Values::Joined({square.weight, row.weight, column.weight});
    all.bias = Values::Joined({square.bias, row.bias, column.bias});
    return all;
  }

  FeatureMap AtHalfSize(int group, const FeatureMap& input, const std::vector<AddedMap>& added) {
    const int features = plan_.features;
    const std::string name = Group(group) + "msg.";
    FeatureMap x = graph_.Conv(name + "down.0", features / (kHalf * kHalf), {input});
    x = graph_.Unshuffled(x, kHalf, kSlope);
    for (int b = 0; b < kHalfBlocks; ++b) x = AddBlock(HalfBlock(group, b), plan_.half_hidden, x);
    const ConvWeights up = graph_.layers().Conv(name + "up.0", features * kHalf * kHalf, features);
    return graph_.Shuffled(up, {x}, {.side = kHalf, .added = added}, {.slope = kSlope});
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return MoesrGraph(plan, weights).Finish();
}

class Moesr final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "MoESR"; }
  std::string_view known_by() const override { return "MoESR of 64 features, 9 groups of 4 blocks"; }

  std::vector<Telltales> telltales() const override {
    return {{"in_to_dim.weight", "blocks.0.blocks.0.gamma", "blocks.0.blocks.0.conv.dwconv_hw.weight",
             "blocks.0.msg.gated.0.fc1.weight", "upscale.MetaUpsample"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = kHalf;
    parts.overlap = kOverlap;
    if (plan.features % (kHalf * kHalf) != 0 || plan.features < kShare)
      return WeightError("it is a MoESR of " + std::to_string(plan.features) +
                         " features, which is not known: multiples of 4 from 8 on are");
    if (plan.hidden < plan.features || plan.half_hidden < plan.features)
      return WeightError("it is a MoESR whose gates have fewer channels than its blocks, which is not known");
    return CheckUniEnlarging("a MoESR", plan.up);
  }

 private:
  static constexpr int kOverlap = 64;
};

const Moesr instance;

}  // namespace

extern const GraphArchitecture& kMoesr;
const GraphArchitecture& kMoesr = instance;

}  // namespace imgmill
