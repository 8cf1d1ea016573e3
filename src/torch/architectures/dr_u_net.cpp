// DRUNet (Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", 2021, section IV-A):
// residual blocks at four sizes, without biases, which are told the level of the noise beside the image.
//
// Weights: m_head, m_down1.0.res.0, m_body.0.res.0, m_up1.0, m_tail. Sizes are halved and doubled by
// convolutions of 2x2; the authors' training code has other ways, in which nothing was published.
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/noise_level.h"
#include "torch/architectures/res_u_net_graph.h"
#include "torch/weights/weight_file.h"

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

class DrUNet final : public UpscaleNet {
 public:
  DrUNet(const Plan& plan, Layers& layers)
      : plan_(plan),
        net_(plan.shape, layers),
        body_(ConvResiduals(layers, "m_body", 0, plan.shape, plan.shape.features.back())) {}

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2), width = input.size(3);
    torch::Tensor x = ContinuedToMultiple(input, ResUNetShape::kMultiple);
    if (plan_.told()) x = WithNoiseLevel(x, plan_.noise_level);
    std::vector<torch::Tensor> seen;
    x = net_.Down(x, seen);
    for (const ConvResidual& block : body_) x = block(x);
    x = net_.Up(x, std::move(seen),
                [](size_t, const ConvResidual& block, const torch::Tensor& from) { return block(from); });
    return x.slice(2, 0, height).slice(3, 0, width);
  }

 private:
  Plan plan_;
  ResUNet net_;
  std::vector<ConvResidual> body_;
};

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  std::vector<float> told;
  if (plan.told()) told.push_back(static_cast<float>(plan.noise_level));
  GraphBuilder graph(weights, ResUNetInput(plan.shape, Continuation::kMirror, std::move(told)));
  ResUNetGraph net(graph, plan.shape);
  const FeatureMap x = net.LastBody("m_body", net.Down());
  return graph.Finish({.map = net.Up(x, net.Added())});
}

class DrUNetArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DRUNet"; }
  std::string_view known_by() const override { return "drunet_color, drunet_gray"; }

  std::vector<Telltales> telltales() const override {
    return {{"m_head.weight", "m_down1.0.res.0.weight", "m_body.0.res.0.weight", "m_up1.0.weight",
             "m_tail.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = 1;
    info.bands = static_cast<int>(plan.shape.bands);
    info.tile_grid = ResUNetShape::kMultiple;
    if (plan.told()) plan.noise_level = TRY(NoiseLevel(*weights, info));
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    parts.bytes = [shape = plan.shape](int height, int width) { return shape.Bytes(height, width); };
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<DrUNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
  static constexpr int kOverlap = 64;
};

const DrUNetArchitecture instance;

}  // namespace

extern const Architecture& kDrUNet;
const Architecture& kDrUNet = instance;

}  // namespace imgmill
