// RCAN (Zhang et al., "Image Super-Resolution Using Very Deep Residual Channel Attention Networks", ECCV
// 2018): groups of residual blocks that weigh their channels by means over the whole image; convolutions with
// pixel shuffle. Some are trained on squares of pixels as channels, for x2 and x1.
//
// Key layout: head.0 (head.1 behind squares), body.G.body.B.body.{0,2}, body.G.body.B.body.3.conv_du.{0,2},
// tail.0.N, tail.1; sub_mean and add_mean where values are 0 to 255 less the training data's mean.
#include <string>

#include "networks/architectures/enlarging_tail.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kRange = 255;  // with means; it leaves no trace

struct Plan {
  int64_t features = 0, groups = 0, blocks = 0;
  int64_t squeezed = 0;  ///< channels that decide on the weights of all
  int64_t side = 3;      ///< of the kernels
  int64_t bands = 3;
  int64_t unshuffle = 1;  ///< side of the squares that become channels
  bool means = false;
  EnlargingTailShape tail;

  std::string head() const { return unshuffle > 1 ? "head.1" : "head.0"; }
};

std::string Group(int64_t number) {
  return "body." + std::to_string(number);
}
std::string Block(int64_t group, int64_t number) {
  return Group(group) + ".body." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* head = weights.Find("head.0.weight");
  const bool squares = head == nullptr;
  if (squares) head = weights.Find("head.1.weight");
  const WeightTensor* squeeze = weights.Find("body.0.body.0.body.3.conv_du.0.weight");
  const WeightTensor* last = weights.Find("tail.1.weight");
  if (head == nullptr || squeeze == nullptr || last == nullptr) return false;
  plan.features = head->dim(0);
  plan.squeezed = squeeze->dim(0);
  plan.side = head->dim(2);
  plan.bands = last->dim(0);
  plan.groups = CountOf(weights, 0, [](int i) { return Block(i, 0) + ".body.0.weight"; });
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(0, i) + ".body.0.weight"; });
  plan.means = weights.Find("sub_mean.weight") != nullptr;
  plan.tail = ReadEnlargingTail(weights, "tail.0", plan.features);
  if (plan.tail.ups == 0 || (plan.bands != 1 && plan.bands != 3)) return false;
  if (!squares) return head->dim(1) == plan.bands;
  plan.unshuffle = ShuffleScale(head->dim(1), static_cast<int>(plan.bands));
  return plan.unshuffle > 1 && plan.tail.scale() % plan.unshuffle == 0;
}

/// A 1x1 convolution of an image's bands, for the pixels of squares that are channels: the same for each.
ConvWeights ForSquares(ConvWeights conv, int64_t pixels) {
  if (!conv.weight.defined() || !conv.bias.defined() || pixels == 1) return conv;
  const int64_t bands = conv.bias.count(), channels = bands * pixels;
  Buffer weights(static_cast<size_t>(channels * channels) * sizeof(float));
  Buffer biases(static_cast<size_t>(channels) * sizeof(float));
  for (int64_t to = 0; to < channels; ++to) {
    reinterpret_cast<float*>(biases.data())[to] = conv.bias.data()[to / pixels];
    for (int64_t from = 0; from < channels; ++from)
      reinterpret_cast<float*>(weights.data())[to * channels + from] =
          to % pixels == from % pixels ? conv.weight.data()[to / pixels * bands + from / pixels] : 0.0f;
  }
  conv.weight = {{channels, channels, 1, 1}, std::move(weights)};
  conv.bias = {{channels}, std::move(biases)};
  return conv;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  const auto features = static_cast<int>(plan.features), bands = static_cast<int>(plan.bands),
             squeezed = static_cast<int>(plan.squeezed);
  GraphBuilder graph(weights, {.bands = bands,
                               .unshuffle = static_cast<int>(plan.unshuffle),
                               .range = plan.means ? static_cast<float>(kRange) : 1.0f});
  const auto conv = [&](const std::string& name, const FeatureMap& from, const GraphEnd& end) {
    return graph.Conv(name, features, {from}, end, static_cast<int>(plan.side));
  };
  FeatureMap x = graph.input();
  if (plan.means)
    x = graph.Conv(
        ForSquares(graph.layers().Conv("sub_mean", bands, bands, 1), plan.unshuffle * plan.unshuffle), {x});
  const FeatureMap head = conv(plan.head(), x, {});
  x = head;
  for (int64_t g = 0; g < plan.groups; ++g) {
    const FeatureMap group = x;
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const std::string name = Block(g, b) + ".body.";
      const FeatureMap inner = conv(name + "2", conv(name + "0", x, {.slope = 0}), {});
      FeatureMap gate = graph.Conv(name + "3.conv_du.0", squeezed, {graph.Mean(inner)}, {.slope = 0}, 1);
      gate = graph.Conv(name + "3.conv_du.2", features, {gate}, {}, 1);
      x = graph.Scaled(inner, graph.Function(gate, MapFunction::kSigmoid), {}, {{x, 1.0f}});
    }
    x = conv(Block(g, plan.blocks), x, {.added = {{group, 1.0f}}});
  }
  x = conv(Group(plan.groups), x, {.added = {{head, 1.0f}}});
  x = AddUps(graph, "tail.0", plan.tail, x);
  x = graph.Conv("tail.1", bands, {x}, {}, static_cast<int>(plan.side));
  if (plan.means) x = graph.Conv("add_mean", bands, {x}, {.gain = static_cast<float>(1 / kRange)}, 1);
  return graph.Finish({.map = x});
}

class Rcan final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "RCAN"; }
  std::string_view known_by() const override { return "RCAN_BIX4, 2x-AnimeSharpV4_RCAN"; }

  std::vector<Telltales> telltales() const override {
    return {{"body.0.body.0.body.0.weight", "body.0.body.0.body.3.conv_du.0.weight", "tail.0.0.weight",
             "tail.1.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = static_cast<int>(plan.unshuffle);
    parts.overlap = kOverlap;
    return CheckKernelSide("an RCAN", plan.side);
  }

 private:
  static constexpr int kOverlap = 64;
};

const Rcan instance;

}  // namespace

extern const GraphArchitecture& kRcan;
const GraphArchitecture& kRcan = instance;

}  // namespace imgmill
