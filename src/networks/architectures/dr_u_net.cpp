// DRUNet (Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", 2021, section IV-A):
// residual blocks at four sizes, without biases, which are told the level of the noise beside the image.
//
// Weights: m_head, m_down1.0.res.0, m_body.0.res.0, m_up1.0, m_tail. Sizes are halved and doubled by
// convolutions of 2x2; the authors' training code has other ways, in which nothing was published.
#include <vector>

#include "base/try.h"
#include "networks/architectures/noise_level.h"
#include "networks/architectures/res_u_net.h"
#include "networks/graph_architecture.h"

namespace imgmill {
namespace {

struct Plan {
  ResUNetShape shape;
  double noise_level = 0;
  bool told() const { return shape.inputs == shape.bands + 1; }
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  return ReadResUNet(weights, "m_body", plan.shape) && weights.Find("m_up1.0.weight") != nullptr &&
         (plan.told() || plan.shape.inputs == plan.shape.bands);
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  std::vector<float> told;
  if (plan.told()) told.push_back(static_cast<float>(plan.noise_level));
  GraphBuilder graph(weights, ResUNetInput(plan.shape, Continuation::kMirror, std::move(told)));
  ResUNetGraph net(graph, plan.shape);
  const FeatureMap x = net.LastBody("m_body", net.Down());
  return graph.Finish({.map = net.Up(x, net.Added())});
}

class DrUNet final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "DRUNet"; }
  std::string_view known_by() const override { return "drunet_color, drunet_gray"; }

  std::vector<Telltales> telltales() const override {
    return {{"m_head.weight", "m_down1.0.res.0.weight", "m_body.0.res.0.weight", "m_up1.0.weight",
             "m_tail.weight"}};
  }

  Status Describe(const StateDict& weights, Plan& plan, GraphNetworkParts& parts) const override {
    if (plan.told()) plan.noise_level = TRY(NoiseLevel(weights, parts.info));
    parts.info.tile_grid = ResUNetShape::kMultiple;
    parts.overlap = kOverlap;
    return {};
  }

 private:
  static constexpr int kOverlap = 64;
};

const DrUNet instance;

}  // namespace

extern const GraphArchitecture& kDrUNet;
const GraphArchitecture& kDrUNet = instance;

}  // namespace imgmill
