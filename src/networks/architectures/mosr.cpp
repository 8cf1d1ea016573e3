// MoSR (2024; after Yu and Wang, "MambaOut: Do We Really Need Mamba for Vision?"): blocks of a 3x3
// convolution to a gate and what it lets through, part of which a depthwise convolution sees; pixel shuffle,
// the mean of eight of them ("gps"), or DySample.
//
// Key layout: gblocks.0, gblocks.N.{norm,fc1,conv,fc2}, three more gblocks,
// shortcut.{block.0,block.2,conv11}; upsampler.0, upsampler.in_to_k ("gps") or upsampler.init_pos.
#include <string>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr float kShift = -0.5f;       // to each block's and the shortcut's values
constexpr int64_t kOrientations = 8;  // that "gps" takes the mean of
constexpr int kSampleGroups = 4;

enum class End { kShuffle, kMeanShuffle, kDySample };

struct Plan {
  int features = 0, blocks = 0;
  int hidden = 0;    ///< channels of the gate
  int64_t far = 0;   ///< channels with the depthwise convolution
  int64_t side = 7;  ///< of its kernel
  int bands = 3;
  int scale = 0;
  End end = End::kShuffle;
};

std::string Block(int number) {
  return "gblocks." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("gblocks.0.weight");
  const WeightTensor* wide = weights.Find("gblocks.1.fc1.weight");
  const WeightTensor* far = weights.Find("gblocks.1.conv.weight");
  if (first == nullptr || wide == nullptr || far == nullptr ||
      weights.Find("shortcut.conv11.weight") == nullptr) {
    return false;
  }
  plan.features = static_cast<int>(first->dim(0));
  plan.bands = static_cast<int>(first->dim(1));
  plan.blocks = CountOf(weights, 1, [](int i) { return Block(i) + ".fc1.weight"; });
  plan.hidden = static_cast<int>(wide->dim(0) / 2);
  plan.far = far->dim(0);
  plan.side = far->dim(2);
  if ((plan.bands != 1 && plan.bands != 3) || plan.far > plan.hidden) return false;
  if (const WeightTensor* shuffled = weights.Find("upsampler.0.weight")) {
    plan.scale = ShuffleScale(shuffled->dim(0), plan.bands);
  } else if (const WeightTensor* oriented = weights.Find("upsampler.in_to_k.weight")) {
    plan.end = End::kMeanShuffle;
    plan.scale = ShuffleScale(oriented->dim(0), kOrientations * plan.bands);
  } else if (const WeightTensor* offset = weights.Find("upsampler.offset.weight")) {
    plan.end = End::kDySample;
    plan.scale = ShuffleScale(offset->dim(0), 2 * kSampleGroups);
    if (plan.features % kSampleGroups != 0) return false;
  }
  return plan.scale > 0;
}

/// The mean of what eight convolutions give is one convolution.
ConvWeights MeanOf(const ConvWeights& all) {
  if (!all.weight.defined() || !all.bias.defined()) return {};
  const auto mean = [](const Values& rows) {
    Values::Shape shape = rows.shape();
    shape[0] /= kOrientations;
    const int64_t count = rows.count() / kOrientations;
    Buffer floats(static_cast<size_t>(count) * sizeof(float));
    for (int64_t i = 0; i < count; ++i) {
      float sum = 0;
      for (int64_t n = 0; n < kOrientations; ++n) sum += rows.data()[n * count + i];
      reinterpret_cast<float*>(floats.data())[i] = sum / kOrientations;
    }
    return Values(std::move(shape), std::move(floats));
  };
  ConvWeights one = all;
  one.weight = mean(all.weight);
  one.bias = mean(all.bias);
  return one;
}

class MosrGraph {
 public:
  MosrGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan), graph_(weights, {.bands = plan.bands}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    const int features = plan_.features, after = plan_.blocks + 1;
    const FeatureMap input = graph_.input();
    FeatureMap x = graph_.Conv(Block(0), features, {input});
    for (int b = 1; b <= plan_.blocks; ++b) x = AddBlock(Block(b), x);
    // Activations without weights lie between them.
    x = graph_.Conv(Block(after), 2 * features, {x}, kMish);
    x = graph_.Conv(Block(after + 2), features, {x}, kMish);
    const FeatureMap plain = graph_.Conv("shortcut.conv11", features, {input}, {.shift = kShift}, 1);
    FeatureMap around = graph_.Conv("shortcut.block.0", features, {input}, kMish);
    around = graph_.Conv("shortcut.block.2", features, {around},
                         {.end = ConvEnd::kMish, .added = {{plain, 1.0f}}});
    x = graph_.Conv(Block(after + 4), features, {x}, {.added = {{around, 1.0f}}}, 1);
    return graph_.Finish(Enlarged(x));
  }

 private:
  static inline const GraphEnd kMish = {.end = ConvEnd::kMish};

  FeatureMap AddBlock(const std::string& name, const FeatureMap& input) {
    LayerWeights& layers = graph_.layers();
    const int hidden = plan_.hidden;
    const FeatureMap x = graph_.Normalized(layers.Norm(name + ".norm", plan_.features, kEpsilon), input);
    const ConvWeights wide = layers.Conv(name + ".fc1", 2 * hidden, plan_.features);
    const ConvWeights far =
        layers.Conv(name + ".conv", plan_.far, plan_.far, {.side = plan_.side, .groups = plan_.far});
    const FeatureMap gate = graph_.Conv(wide.Some(0, hidden), {x}, kMish);
    FeatureMap through = graph_.Conv(wide.Some(hidden, hidden), {x});
    through = graph_.Depthwise(GraphBuilder::PassingOn(far, hidden), through);
    return graph_.Conv(name + ".fc2", plan_.features, {graph_.Product(gate, through)},
                       {.end = ConvEnd::kMish, .shift = kShift, .added = {{input, 1.0f}}});
  }

  GraphOutput Enlarged(const FeatureMap& x) {
    const int scale = plan_.scale, outputs = plan_.bands * scale * scale;
    switch (plan_.end) {
      case End::kShuffle:
        return {.map = graph_.Conv("upsampler.0", outputs, {x}), .shuffle = scale};
      case End::kMeanShuffle:
        return {.map = graph_.Conv(MeanOf(graph_.layers().Conv("upsampler.in_to_k", kOrientations * outputs,
                                                               plan_.features, 3)),
                                   {x}),
                .shuffle = scale};
      case End::kDySample:
        break;
    }
    return {.map = graph_.Sampled("upsampler", x, scale, kSampleGroups, plan_.bands)};
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return MosrGraph(plan, weights).Finish();
}

class Mosr final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "MoSR"; }
  std::string_view known_by() const override { return "4xNomos2_hq_mosr, 2x-AnimeSharpV2_MoSR"; }

  std::vector<Telltales> telltales() const override {
    return {{"gblocks.0.weight", "gblocks.1.fc1.weight", "gblocks.1.conv.weight", "shortcut.conv11.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.overlap = kOverlap;
    // Channels that are passed on get kernels, too, of zeros and a one.
    if (plan.far < plan.hidden && plan.side * plan.side > kMostPassedOn * plan.features)
      return WeightError(
          "it is a MoSR whose kernels of some channels are larger than all of its other weights, "
          "which is not known");
    return CheckKernelSide("a MoSR", plan.side);
  }

 private:
  static constexpr int kOverlap = 64;
  static constexpr int kMostPassedOn = 27;  // the weights of a block's other layers, by hidden and features
};

const Mosr instance;

}  // namespace

extern const GraphArchitecture& kMosr;
const GraphArchitecture& kMosr = instance;

}  // namespace imgmill
