// DnCNN (Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising",
// 2017): a chain of 3x3 convolutions that finds the noise, which is taken from the image. FDnCNN, of the same
// authors, is told the level of the noise as one more band, and gives the image itself.
//
// Weights: model.0, model.2, model.4 and so on, where batch normalization was merged into the convolutions,
// as in the authors' published files; or model.0, then a convolution and its normalization in every three
// numbers (model.2, model.3), and the last one.
#include <algorithm>
#include <string>

#include "base/try.h"
#include "networks/architectures/noise_level.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kNormEpsilon = 1e-4;

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t convs = 0;
  bool norms = false;  ///< behind all convolutions but the first and the last
  bool told = false;   ///< FDnCNN
  double noise_level = 0;

  std::string Conv(int64_t index) const {
    return "model." + std::to_string(index == 0 ? 0 : norms ? 3 * index - 1 : 2 * index);
  }
  std::string Norm(int64_t index) const { return "model." + std::to_string(3 * index); }
  bool HasNorm(int64_t index) const { return norms && index > 0 && index + 1 < convs; }
  int64_t Inputs(int64_t index) const { return index == 0 ? bands + (told ? 1 : 0) : features; }
  int64_t Outputs(int64_t index) const { return index + 1 == convs ? bands : features; }
};

/// Others number their parts in the same way, and have one of many layers between the first two.
bool IsChain(const StateDict& weights) {
  return std::ranges::none_of(weights.tensors,
                              [](const auto& tensor) { return tensor.first.starts_with("model.1."); });
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("model.0.weight");
  if (first == nullptr || weights.Find("model.0.bias") == nullptr ||
      weights.Find("model.2.weight") == nullptr || first->shape.size() != 4 || !IsChain(weights))
    return false;
  plan.features = first->dim(0);
  plan.norms = weights.Find("model.3.running_mean") != nullptr;
  plan.convs = CountOf(weights, 0, [&](int i) { return plan.Conv(i) + ".weight"; });
  const WeightTensor* last = weights.Find(plan.Conv(plan.convs - 1) + ".weight");
  if (plan.convs < 3 || last == nullptr || last->dim(1) != plan.features) return false;
  plan.bands = last->dim(0);
  plan.told = first->dim(1) == plan.bands + 1;
  return (plan.bands == 1 || plan.bands == 3) && (plan.told || first->dim(1) == plan.bands);
}

ConvWeights ConvOf(const Plan& plan, LayerWeights& layers, int64_t index) {
  return plan.HasNorm(index) ? layers.ConvNorm(plan.Conv(index), plan.Norm(index), plan.Outputs(index),
                                               plan.Inputs(index), {}, kNormEpsilon)
                             : layers.Conv(plan.Conv(index), plan.Outputs(index), plan.Inputs(index));
}

/// The last convolution gives what is to be added.
ConvWeights Negated(ConvWeights conv) {
  if (conv.weight.defined()) conv.weight = conv.weight.Times(-1);
  if (conv.bias.defined()) conv.bias = conv.bias.Times(-1);
  return conv;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  LayerGraph::Input input = {.bands = static_cast<int>(plan.bands)};
  if (plan.told) input.told.push_back(static_cast<float>(plan.noise_level));
  GraphBuilder graph(weights, input);
  FeatureMap x = graph.input();
  for (int64_t i = 0; i + 1 < plan.convs; ++i)
    x = graph.Conv(ConvOf(plan, graph.layers(), i), {x}, {.slope = 0});
  const ConvWeights last = ConvOf(plan, graph.layers(), plan.convs - 1);
  if (plan.told) return graph.Finish({.map = graph.Conv(last, {x})});
  return graph.Finish({.map = graph.Conv(Negated(last), {x}, {.added = {{graph.input(), 1.0f}}})});
}

class DnCnn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "DnCNN"; }
  std::string_view known_by() const override { return "dncnn_25, dncnn3, dncnn_color_blind, fdncnn_color"; }

  std::string VariantOf(const Plan& plan) const override { return plan.told ? "FDnCNN" : "DnCNN"; }

  std::vector<Telltales> telltales() const override {
    return {{"model.0.weight", "model.2.weight", "model.4.weight", "model.6.weight"}};
  }

  Status Describe(const StateDict& weights, Plan& plan, GraphNetworkParts& parts) const override {
    if (plan.told) plan.noise_level = TRY(NoiseLevel(weights, parts.info));
    return {};
  }
};

const DnCnn instance;

}  // namespace

extern const GraphArchitecture& kDnCnn;
const GraphArchitecture& kDnCnn = instance;

}  // namespace imgmill
