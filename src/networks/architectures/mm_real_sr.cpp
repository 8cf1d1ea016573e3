// MMRealSR (Mou et al., "Metric Learning based Interactive Modulation for Real-World Super-Resolution",
// 2022): an RRDBNet whose features are changed behind each block, by factors and shifts of all channels that
// follow from how strong blur and noise are. Small networks find that for the whole image, one number from 0
// to 1 each.
//
// Weights: those of an RRDBNet; de_net.conv_first.D, de_net.body.D.N (blocks of conv1 and conv2, and between
// them convolutions that halve the size, of strides that shapes do not tell), de_net.fc_degree.D.0 and .2;
// dd_embed.0, am_list.B.fc.0, .2 and .4.
#include <string>
#include <vector>

#include "networks/architectures/rrdb_blocks.h"
#include "networks/graph_architecture.h"

namespace imgmill {
namespace {

constexpr int kMostDegrees = kMostConvInputs;

struct Plan {
  RrdbPlan rrdb;
  int degrees = 0;  ///< numbers that are found
  int judged = 0;   ///< features of the layer before each
  int embedded = 0;
};

std::string Judge(int degree, int number) {
  return "de_net.body." + std::to_string(degree) + "." + std::to_string(number);
}
std::string Degree(int degree) {
  return "de_net.fc_degree." + std::to_string(degree);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  if (!FindsDamage(weights) || !ReadRrdb(weights, plan.rrdb)) return false;
  plan.degrees = CountOf(weights, 0, [](int i) { return Degree(i) + ".0.weight"; });
  plan.judged = static_cast<int>(weights.Find(Degree(0) + ".0.weight")->dim(0));
  plan.embedded = static_cast<int>(weights.Find("dd_embed.0.weight")->dim(0));
  return true;
}

class MmRealSrGraph {
 public:
  MmRealSrGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan), graph_(weights, {.bands = static_cast<int>(plan.rrdb.bands)}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    std::vector<FeatureMap> degrees;
    for (int degree = 0; degree < plan_.degrees; ++degree) degrees.push_back(Found(degree));
    const FeatureMap told = Dense("dd_embed.0", plan_.embedded, degrees, 0);
    struct Change {
      FeatureMap factors, shifts;
    };
    // These have one pixel each. What the image becomes is not to be kept for them.
    std::vector<Change> changes;
    const auto features = static_cast<int>(plan_.rrdb.features);
    for (int64_t b = 0; b < plan_.rrdb.blocks; ++b) {
      const std::string name = "am_list." + std::to_string(b) + ".fc.";
      const int64_t wide = graph_.layers().Outputs(name + "0.weight");
      FeatureMap x = Dense(name + "0", wide, {told}, 0);
      x = Dense(name + "2", wide, {x}, 0);
      const ConvWeights both = graph_.layers().Pointwise(name + "4", 2 * features, x.channels);
      changes.push_back({.factors = graph_.Conv(both.Some(0, features), {x}, {.shift = 1}),
                         .shifts = graph_.Conv(both.Some(features, features), {x})});
    }
    const FeatureMap first = graph_.Conv(plan_.rrdb.names.first, features, {graph_.input()});
    FeatureMap x = first;
    for (size_t b = 0; b < changes.size(); ++b) {
      x = AddRrdb(graph_, plan_.rrdb, static_cast<int64_t>(b), x);
      x = graph_.Scaled(x, changes[b].factors, changes[b].shifts, {});
    }
    return graph_.Finish(AddRrdbEnd(graph_, plan_.rrdb, x, first));
  }

 private:
  FeatureMap Dense(const std::string& name, int64_t out, const std::vector<FeatureMap>& from, float slope) {
    int64_t in = 0;
    for (const FeatureMap& map : from) in += map.channels;
    return graph_.Conv(graph_.layers().Pointwise(name, out, in), from, {.slope = slope});
  }

  /// How strong one of them is.
  FeatureMap Found(int degree) {
    LayerWeights& layers = graph_.layers();
    const auto outputs = [&](const std::string& name) {
      return static_cast<int>(layers.Outputs(name + ".weight"));
    };
    const std::string first = "de_net.conv_first." + std::to_string(degree);
    FeatureMap x = graph_.Conv(first, outputs(first), {graph_.input()});
    for (int number = 0;; ++number) {
      const std::string name = Judge(degree, number);
      if (layers.Has(name + ".conv1.weight")) {
        const FeatureMap inner = graph_.Conv(name + ".conv1", x.channels, {x}, {.slope = 0});
        x = graph_.Conv(name + ".conv2", x.channels, {inner}, {.added = {{x, 1.0f}}});
      } else if (layers.Has(name + ".weight")) {
        x = graph_.Halved(graph_.Conv(name, outputs(name), {x}));
      } else {
        break;
      }
    }
    x = Dense(Degree(degree) + ".0", plan_.judged, {graph_.Mean(x)}, 0);
    return graph_.Function(Dense(Degree(degree) + ".2", 1, {x}, 1), MapFunction::kSigmoid);
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return MmRealSrGraph(plan, weights).Finish();
}

class MmRealSr final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "MMRealSR"; }
  std::string_view known_by() const override { return "MMRealSRGAN, MMRealSRNet"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_first.weight", "body.0.rdb1.conv1.weight", "am_list.0.fc.0.weight",
             "de_net.body.0.0.conv1.weight", "de_net.fc_degree.0.0.weight", "dd_embed.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.tile = kTile;
    parts.overlap = kOverlap;
    if (plan.rrdb.unshuffle > 1)
      return WeightError(
          "it is an MMRealSR for x2 or x1, which is not known: its authors' program does not run it");
    if (plan.degrees > kMostDegrees)
      return WeightError("it is an MMRealSR that finds " + std::to_string(plan.degrees) +
                         " kinds of damage, which is not known: up to " + std::to_string(kMostDegrees) +
                         " are");
    return {};
  }

 private:
  /// As an RRDBNet's. What it finds is of a tile, whatever the overlap.
  static constexpr int kTile = 384;
  static constexpr int kOverlap = 64;
};

const MmRealSr instance;

}  // namespace

extern const GraphArchitecture& kMmRealSr;
const GraphArchitecture& kMmRealSr = instance;

}  // namespace imgmill
