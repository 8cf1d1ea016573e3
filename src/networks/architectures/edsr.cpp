// EDSR (Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPRW 2017):
// residual blocks of two convolutions, convolutions with pixel shuffle. It takes 0 to 255 less the mean of
// its training data.
//
// Key layouts: the authors' (head.0, body.N.body.{0,2}, tail.0.N, tail.1, sub_mean, add_mean), and BasicSR's
// of the same weights (conv_first, body.N.conv1, conv_after_body, upsample.N, conv_last), without the mean.
#include <algorithm>
#include <array>
#include <functional>
#include <string>

#include "networks/architectures/enlarging_tail.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kRange = 255;
constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of DIV2K
constexpr auto kToRange = static_cast<float>(kRange);
constexpr std::array<float, 3> kMeanInRange = {kMean[0] * kToRange, kMean[1] * kToRange, kMean[2] * kToRange};
/// The large network's blocks are multiplied by a tenth. That leaves no trace in the weights; the paper has
/// it for 256 features, and not for 64.
constexpr int64_t kLarge = 256;
constexpr double kLargeResidual = 0.1;

struct Names {
  std::string first, in_block_first, in_block_second, last, ups, output;
};
const Names kAuthors = {"head.0", ".body.0", ".body.2", "", "tail.0", "tail.1"};
const Names kBasicSr = {"conv_first", ".conv1", ".conv2", "conv_after_body", "upsample", "conv_last"};

struct Plan {
  Names names;
  int64_t features = 0, blocks = 0;
  bool has_means = false;
  EnlargingTailShape tail;

  double residual() const { return features >= kLarge ? kLargeResidual : 1; }
};

std::string Block(int64_t number) {
  return "body." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (const Names& names : {kAuthors, kBasicSr}) {
    const WeightTensor* first = weights.Find(names.first + ".weight");
    const int64_t blocks =
        CountOf(weights, 0, [&](int i) { return Block(i) + names.in_block_first + ".weight"; });
    if (first == nullptr || blocks == 0 || first->dim(1) != 3) continue;
    plan.names = names;
    // The authors' last convolution has the number after the blocks.
    if (plan.names.last.empty()) plan.names.last = Block(blocks);
    if (weights.Find(plan.names.last + ".weight") == nullptr ||
        weights.Find(names.output + ".weight") == nullptr) {
      continue;
    }
    plan.features = first->dim(0);
    plan.blocks = blocks;
    plan.has_means = weights.Find("sub_mean.weight") != nullptr;
    plan.tail = ReadEnlargingTail(weights, names.ups, plan.features);
    return plan.tail.ups > 0;
  }
  return false;
}

/// The last convolution gives values around the mean.
ConvWeights PlusMean(ConvWeights conv) {
  if (!conv.bias.defined()) return conv;
  Buffer floats(sizeof(kMeanInRange));
  std::transform(kMeanInRange.begin(), kMeanInRange.end(), conv.bias.data(),
                 reinterpret_cast<float*>(floats.data()), std::plus<>());
  conv.bias = {conv.bias.shape(), std::move(floats)};
  return conv;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  const auto features = static_cast<int>(plan.features);
  LayerGraph::Input input = {.range = kToRange};
  if (!plan.has_means) input.mean = {kMean.begin(), kMean.end()};
  GraphBuilder graph(weights, input);
  FeatureMap first = graph.input();
  if (plan.has_means) first = graph.Conv("sub_mean", 3, {first}, {}, 1);
  first = graph.Conv(plan.names.first, features, {first});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const FeatureMap inner = graph.Conv(Block(b) + plan.names.in_block_first, features, {x}, {.slope = 0});
    x = graph.Conv(Block(b) + plan.names.in_block_second, features, {inner},
                   {.gain = static_cast<float>(plan.residual()), .added = {{x, 1.0f}}});
  }
  x = graph.Conv(plan.names.last, features, {x}, {.added = {{first, 1.0f}}});
  const GraphEnd to_pixels = {.gain = static_cast<float>(1 / kRange)};
  x = AddUps(graph, plan.names.ups, plan.tail, x);
  const ConvWeights last = graph.layers().Conv(plan.names.output, 3, plan.features);
  if (plan.has_means) {
    x = graph.Conv("add_mean", 3, {graph.Conv(last, {x})}, to_pixels, 1);
    return graph.Finish({.map = x});
  }
  return graph.Finish({.map = graph.Conv(PlusMean(last), {x}, to_pixels)});
}

class Edsr final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "EDSR"; }
  std::string_view known_by() const override { return "edsr_baseline_x2, edsr_x4, EDSR_Lx4"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"head.0.weight", "body.0.body.0.weight", "body.0.body.2.weight", "tail.0.0.weight", "tail.1.weight"},
        {"conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight", "upsample.0.weight",
         "conv_last.weight"}};
  }
};

const Edsr instance;

}  // namespace

extern const GraphArchitecture& kEdsr;
const GraphArchitecture& kEdsr = instance;

}  // namespace imgmill
