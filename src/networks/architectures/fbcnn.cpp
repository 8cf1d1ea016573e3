// FBCNN (Jiang et al., "Towards Flexible Blind JPEG Artifacts Removal", 2021): finds the quality that an
// image was compressed with, as a number from 0 to 1, by the features of the least of four sizes; that number
// says by how much the blocks on the way up change each channel.
//
// Weights: m_head, m_down1.0.res.0, m_body_encoder.0.res.0, m_body_decoder.0.res.0, qf_pred.0.res.0 and three
// linear layers behind its blocks, qf_embed.0, .2 and .4, to_gamma_1.0, to_beta_1.0, m_up1.0, m_tail.
#include <vector>

#include "networks/architectures/res_u_net.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

struct Plan {
  ResUNetShape shape;
  int64_t judged = 0, embedded = 0;  ///< features inside the layers that find the quality, and that embed it
};

/// The linear layers behind the blocks and the mean over the image.
std::string JudgeLayer(const Plan& plan, int number) {
  return "qf_pred." + std::to_string(plan.shape.blocks + 2 + 2 * number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  if (!ReadResUNet(weights, "m_body_encoder", plan.shape) || plan.shape.inputs != plan.shape.bands ||
      weights.Find("m_body_decoder.0.res.0.weight") == nullptr)
    return false;
  const WeightTensor* judge = weights.Find(JudgeLayer(plan, 0) + ".weight");
  const WeightTensor* embed = weights.Find("qf_embed.0.weight");
  if (judge == nullptr || embed == nullptr) return false;
  plan.judged = judge->dim(0);
  plan.embedded = embed->dim(0);
  return true;
}

/// The factors and the shifts of all channels at each size, from the features of the least.
struct QualityMaps {
  std::vector<FeatureMap> factors, shifts;
};

QualityMaps AddQuality(const Plan& plan, GraphBuilder& graph, const FeatureMap& judged) {
  const auto dense = [&](const std::string& name, int64_t out, const FeatureMap& x, float slope) {
    return graph.Conv(graph.layers().Pointwise(name, out, x.channels), {x}, {.slope = slope});
  };
  FeatureMap x = graph.Mean(judged);
  x = dense(JudgeLayer(plan, 0), plan.judged, x, 0);
  x = dense(JudgeLayer(plan, 1), plan.judged, x, 0);
  x = graph.Function(dense(JudgeLayer(plan, 2), 1, x, 1), MapFunction::kSigmoid);
  for (const char* layer : {"qf_embed.0", "qf_embed.2", "qf_embed.4"}) x = dense(layer, plan.embedded, x, 0);
  QualityMaps maps;
  for (size_t size = 0; size + 1 < ResUNetShape::kSizes; ++size) {
    const std::string number = std::to_string(size + 1);
    const int64_t features = plan.shape.features[size];
    maps.factors.push_back(
        graph.Function(dense("to_gamma_" + number + ".0", features, x, 1), MapFunction::kSigmoid));
    maps.shifts.push_back(
        graph.Function(dense("to_beta_" + number + ".0", features, x, 1), MapFunction::kTanh));
  }
  return maps;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, ResUNetInput(plan.shape, Continuation::kLast, {}));
  ResUNetGraph net(graph, plan.shape);
  const FeatureMap encoded = net.Body("m_body_encoder", net.Down());
  const QualityMaps quality = AddQuality(plan, graph, net.Body("qf_pred", encoded));
  const FeatureMap decoded = net.LastBody("m_body_decoder", encoded);
  const auto scaled = [&](size_t size, const ConvWeights& last, const FeatureMap& inner,
                          const std::vector<FeatureMap>& added) {
    std::vector<AddedMap> behind;
    for (const FeatureMap& map : added) behind.push_back({.map = map});
    return graph.Scaled(graph.Conv(last, {inner}), quality.factors[size], quality.shifts[size], behind);
  };
  return graph.Finish({.map = net.Up(decoded, scaled)});
}

class Fbcnn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "FBCNN"; }
  std::string_view known_by() const override { return "fbcnn_color, fbcnn_gray, fbcnn_gray_double"; }

  std::vector<Telltales> telltales() const override {
    return {{"m_head.weight", "m_down1.0.res.0.weight", "m_body_encoder.0.res.0.weight",
             "qf_pred.0.res.0.weight", "qf_embed.0.weight", "m_tail.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = ResUNetShape::kMultiple;
    parts.overlap = kOverlap;
    return {};
  }

 private:
  static constexpr int kOverlap = 64;
};

const Fbcnn instance;

}  // namespace

extern const GraphArchitecture& kFbcnn;
const GraphArchitecture& kFbcnn = instance;

}  // namespace imgmill
