// RRDBNet (ESRGAN, Real-ESRGAN and most that were trained after them): residual-in-residual dense blocks at
// the input's size, nearest-neighbour upsampling by two with a convolution after each, two more convolutions.
// Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", 2018; for x2 and x1
// Real-ESRGAN (2021) puts the pixels of squares of two or four into channels first.
//
// Weights come under three sets of names: those of today (conv_first, body.0.rdb1.conv1, conv_up1), those of
// ESRGAN's repository (RRDB_trunk.0.RDB1.conv1, upconv1), and those of the program it grew from (model.0,
// model.1.sub.0.RDB1.conv1.0, model.3).
#include "networks/architectures/rrdb_blocks.h"
#include "networks/graph_architecture.h"

namespace imgmill {
namespace {

bool ReadPlan(const StateDict& weights, RrdbPlan& plan) {
  return !FindsDamage(weights) && ReadRrdb(weights, plan);
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const RrdbPlan& plan, const StateDict& weights) {
  GraphBuilder graph(weights,
                     {.bands = static_cast<int>(plan.bands), .unshuffle = static_cast<int>(plan.unshuffle)});
  const FeatureMap first = graph.Conv(plan.names.first, static_cast<int>(plan.features), {graph.input()});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) x = AddRrdb(graph, plan, b, x);
  return graph.Finish(AddRrdbEnd(graph, plan, x, first));
}

class RrdbNet final : public PlannedGraph<RrdbPlan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "RRDBNet"; }
  std::string_view known_by() const override { return "ESRGAN, RealESRGAN_x4plus, 4x-UltraSharp"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_first.weight", "body.0.rdb1.conv1.weight", "conv_body.weight", "conv_last.weight"},
            {"conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight", "trunk_conv.weight", "conv_last.weight"},
            {"model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, RrdbPlan& /*plan*/, GraphNetworkParts& parts) const override {
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
