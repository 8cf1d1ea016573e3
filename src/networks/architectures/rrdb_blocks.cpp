#include "networks/architectures/rrdb_blocks.h"

namespace imgmill {
namespace {

constexpr float kSlope = 0.2f;     // of all leaky ReLUs
constexpr float kResidual = 0.2f;  // of what a dense block, and three of them, add to their input

/// Where the modules were numbered: 0 first, 1 blocks and trunk, then upsampling, convolution and activation
/// by turns, and convolution, activation, convolution at the end.
RrdbNames NumberedNames(const StateDict& weights, int64_t& ups) {
  const auto module = [](int64_t number) { return "model." + std::to_string(number); };
  ups = 0;
  // Each upsampling pushes the last convolution from 4 on by three.
  while (ups < 3 && weights.Find(module(4 + 3 * ups) + ".weight") == nullptr) ++ups;
  RrdbNames names{module(0), "", module(2 + 3 * ups), module(4 + 3 * ups), "model.1.sub.", ".RDB", ".0", {}};
  const int64_t blocks =
      CountOf(weights, 0, [&](int i) { return names.block + std::to_string(i) + ".RDB1.conv1.0.weight"; });
  names.trunk = names.block + std::to_string(blocks);
  for (size_t i = 0; i < names.up.size(); ++i) names.up[i] = module(3 + 3 * static_cast<int64_t>(i));
  return names;
}

}  // namespace

bool FindsDamage(const StateDict& weights) {
  for (const char* name : {"am_list.0.fc.0.weight", "dd_embed.0.weight", "de_net.conv_first.0.weight",
                           "de_net.body.0.0.conv1.weight", "de_net.fc_degree.0.0.weight"}) {
    if (weights.Find(name) == nullptr) return false;
  }
  return true;
}

bool ReadRrdb(const StateDict& weights, RrdbPlan& plan) {
  if (weights.Find("model.1.sub.0.RDB1.conv1.0.weight") != nullptr) {
    plan.names = NumberedNames(weights, plan.ups);
  } else if (weights.Find("RRDB_trunk.0.RDB1.conv1.weight") != nullptr) {
    plan.names = {"conv_first",  "trunk_conv", "HRconv", "conv_last",
                  "RRDB_trunk.", ".RDB",       "",       {"upconv1", "upconv2", "upconv3"}};
    plan.ups = CountOf(weights, 1, [](int i) { return "upconv" + std::to_string(i) + ".weight"; });
  } else if (weights.Find("body.0.rdb1.conv1.weight") != nullptr) {
    plan.names = {"conv_first", "conv_body", "conv_hr", "conv_last",
                  "body.",      ".rdb",      "",        {"conv_up1", "conv_up2", "conv_up3"}};
    plan.ups = CountOf(weights, 1, [](int i) { return "conv_up" + std::to_string(i) + ".weight"; });
  } else {
    return false;
  }
  const RrdbNames& names = plan.names;
  plan.blocks =
      CountOf(weights, 0, [&](int i) { return names.Dense(i, 1) + "1" + names.after_conv + ".weight"; });
  const WeightTensor* first = weights.Find(names.first + ".weight");
  const WeightTensor* inner = weights.Find(names.Dense(0, 1) + "1" + names.after_conv + ".weight");
  if (first == nullptr || plan.ups > 3) return false;
  plan.features = first->dim(0);
  plan.growth = inner->dim(0);
  const WeightTensor* last = weights.Find(names.last + ".weight");
  plan.bands = last != nullptr && last->dim(0) == 1 ? 1 : 3;
  const int64_t channels = first->dim(1);
  plan.unshuffle = channels == 16 * plan.bands ? 4 : channels == 4 * plan.bands ? 2 : 1;
  return plan.unshuffle <= int64_t{1} << plan.ups;
}

GraphEnd RrdbLeaky() {
  return {.slope = kSlope};
}

FeatureMap AddRrdb(GraphBuilder& graph, const RrdbPlan& plan, int64_t number, const FeatureMap& from) {
  const auto features = static_cast<int>(plan.features), growth = static_cast<int>(plan.growth);
  FeatureMap x = from;
  for (int d = 0; d < 3; ++d) {
    const std::string name = plan.names.Dense(static_cast<int>(number), d + 1);
    const auto layer = [&](int c) { return name + std::to_string(c) + plan.names.after_conv; };
    std::vector<FeatureMap> all = {x};
    for (int c = 1; c < 5; ++c) all.push_back(graph.Conv(layer(c), growth, all, RrdbLeaky()));
    // The block's own residual is folded into the last dense block's: 0.2 (0.2 conv + x) + block.
    const GraphEnd residual =
        d < 2 ? GraphEnd{.gain = kResidual, .added = {{x, 1.0f}}}
              : GraphEnd{.gain = kResidual * kResidual, .added = {{x, kResidual}, {from, 1.0f}}};
    x = graph.Conv(layer(5), features, all, residual);
  }
  return x;
}

GraphOutput AddRrdbEnd(GraphBuilder& graph, const RrdbPlan& plan, const FeatureMap& from,
                       const FeatureMap& first) {
  const auto features = static_cast<int>(plan.features);
  FeatureMap x = graph.Conv(plan.names.trunk, features, {from}, {.added = {{first, 1.0f}}});
  for (size_t i = 0; i < static_cast<size_t>(plan.ups); ++i)
    x = graph.Conv(plan.names.up[i], features, {x.Doubled()}, RrdbLeaky());
  x = graph.Conv(plan.names.hr, features, {x}, RrdbLeaky());
  return {.map = graph.Conv(plan.names.last, static_cast<int>(plan.bands), {x})};
}

}  // namespace imgmill
