// RRDBNet (ESRGAN, Real-ESRGAN and most that were trained after them): residual-in-residual dense blocks at
// the input's size, nearest-neighbour upsampling by two with a convolution after each, two more convolutions.
// Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", 2018; for x2 and x1
// Real-ESRGAN (2021) puts the pixels of squares of two or four into channels first.
//
// Weights come under three sets of names: those of today (conv_first, body.0.rdb1.conv1, conv_up1), those of
// ESRGAN's repository (RRDB_trunk.0.RDB1.conv1, upconv1), and those of the program it grew from (model.0,
// model.1.sub.0.RDB1.conv1.0, model.3).
#include <array>
#include <string>
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kSlope = 0.2;  // of all leaky ReLUs
/// LayerWeights of MMRealSR (Mou et al., "Metric Learning based Interactive Modulation for Real-World
/// Super-Resolution", 2022), which change the features of RRDBNet's blocks by what the network is told.
constexpr std::string_view kTold = "am_list.";
constexpr double kResidual = 0.2;  // of what a dense block, and three of them, add to their input

/// What the layers are called.
struct Names {
  std::string first, trunk, hr, last;
  std::string block;       ///< before a block's number
  std::string dense;       ///< between it and the dense block's number, 1 to 3
  std::string after_conv;  ///< behind "convK"
  std::array<std::string, 3> up;

  std::string Dense(int number, int dense_number) const {
    return block + std::to_string(number) + dense + std::to_string(dense_number) + ".conv";
  }
};

/// The shape of the network, read off its tensors.
struct Plan {
  Names names;
  int64_t blocks = 0;
  int64_t features = 0;
  int64_t growth = 0;
  int64_t bands = 3;      ///< 3, or 1 for grey
  int64_t unshuffle = 1;  ///< side of the squares that become channels
  int64_t ups = 0;
};

/// Where the modules were numbered: 0 first, 1 blocks and trunk, then upsampling, convolution and activation
/// by turns, and convolution, activation, convolution at the end.
Names NumberedNames(const StateDict& weights, int64_t& ups) {
  const auto module = [](int64_t number) { return "model." + std::to_string(number); };
  ups = 0;
  // Each upsampling pushes the last convolution from 4 on by three.
  while (ups < 3 && weights.Find(module(4 + 3 * ups) + ".weight") == nullptr) ++ups;
  Names names{module(0), "", module(2 + 3 * ups), module(4 + 3 * ups), "model.1.sub.", ".RDB", ".0", {}};
  const int64_t blocks =
      CountOf(weights, 0, [&](int i) { return names.block + std::to_string(i) + ".RDB1.conv1.0.weight"; });
  names.trunk = names.block + std::to_string(blocks);
  for (size_t i = 0; i < names.up.size(); ++i) names.up[i] = module(3 + 3 * static_cast<int64_t>(i));
  return names;
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
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
  const Names& names = plan.names;
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

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights,
                     {.bands = static_cast<int>(plan.bands), .unshuffle = static_cast<int>(plan.unshuffle)});
  const auto features = static_cast<int>(plan.features), growth = static_cast<int>(plan.growth);
  const GraphEnd leaky = {.slope = static_cast<float>(kSlope)};
  const FeatureMap first = graph.Conv(plan.names.first, features, {graph.input()});
  FeatureMap x = first;
  for (int b = 0; b < plan.blocks; ++b) {
    const FeatureMap block = x;
    for (int d = 0; d < 3; ++d) {
      const std::string name = plan.names.Dense(b, d + 1);
      const auto layer = [&](int c) { return name + std::to_string(c) + plan.names.after_conv; };
      std::vector<FeatureMap> all = {x};
      for (int c = 1; c < 5; ++c) all.push_back(graph.Conv(layer(c), growth, all, leaky));
      // The block's own residual is folded into the last dense block's: 0.2 (0.2 conv + x) + block.
      constexpr auto kShare = static_cast<float>(kResidual);
      const GraphEnd residual =
          d < 2 ? GraphEnd{.gain = kShare, .added = {{x, 1.0f}}}
                : GraphEnd{.gain = kShare * kShare, .added = {{x, kShare}, {block, 1.0f}}};
      x = graph.Conv(layer(5), features, all, residual);
    }
  }
  x = graph.Conv(plan.names.trunk, features, {x}, {.added = {{first, 1.0f}}});
  for (size_t i = 0; i < static_cast<size_t>(plan.ups); ++i)
    x = graph.Conv(plan.names.up[i], features, {x.Doubled()}, leaky);
  x = graph.Conv(plan.names.hr, features, {x}, leaky);
  return graph.Finish({.map = graph.Conv(plan.names.last, static_cast<int>(plan.bands), {x})});
}

class RrdbNet final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "RRDBNet"; }
  std::string_view known_by() const override { return "ESRGAN, RealESRGAN_x4plus, 4x-UltraSharp"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_first.weight", "body.0.rdb1.conv1.weight", "conv_body.weight", "conv_last.weight"},
            {"conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight", "trunk_conv.weight", "conv_last.weight"},
            {"model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"}};
  }

  Status Describe(const StateDict& weights, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    const auto told = weights.tensors.lower_bound(kTold);
    if (told != weights.tensors.end() && told->first.starts_with(kTold))
      return WeightError(
          "it is MMRealSR, an RRDBNet that is told how strong blur and noise are (am_list), which is not "
          "known: take an ESRGAN or Real-ESRGAN");
    parts.tile = kTile;
    parts.overlap = kOverlap;
    return {};
  }

 private:
  /// With the overlap a tile is 512 wide, which takes some 0.4 GiB.
  static constexpr int kTile = 384;
  /// What lies further away has a say in theory, but hardly: docs/models.md shows how little.
  static constexpr int kOverlap = 64;
};

const RrdbNet instance;

}  // namespace

extern const GraphArchitecture& kRrdbNet;
const GraphArchitecture& kRrdbNet = instance;

}  // namespace imgmill
