// DnCNN (Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising",
// 2017): a chain of 3x3 convolutions that finds the noise, which is taken from the image. FDnCNN, of the same
// authors, is told the level of the noise as one more band, and gives the image itself.
//
// Weights: model.0, model.2, model.4 and so on, where batch normalization was merged into the convolutions,
// as in the authors' published files; or model.0, then a convolution and its normalization in every three
// numbers (model.2, model.3), and the last one.
#include <algorithm>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/noise_level.h"
#include "torch/architectures/pixel_bytes.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

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

Convolution ConvOf(const Plan& plan, Layers& layers, int64_t index) {
  return plan.HasNorm(index) ? layers.ConvNorm(plan.Conv(index), plan.Norm(index), plan.Outputs(index),
                                               plan.Inputs(index), {}, kNormEpsilon)
                             : layers.Conv(plan.Conv(index), plan.Outputs(index), plan.Inputs(index));
}

class DnCnnNet final : public UpscaleNet {
 public:
  DnCnnNet(const Plan& plan, Layers& layers) : told_(plan.told), noise_level_(plan.noise_level) {
    for (int64_t i = 0; i < plan.convs; ++i) convs_.push_back(ConvOf(plan, layers, i));
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor x = told_ ? WithNoiseLevel(input, noise_level_) : input;
    for (size_t i = 0; i < convs_.size(); ++i) {
      x = convs_[i](x);
      if (i + 1 < convs_.size()) x.relu_();
    }
    return told_ ? x : input - x;
  }

 private:
  bool told_;
  double noise_level_;
  std::vector<Convolution> convs_;
};

/// The last convolution gives what is to be added.
Convolution Negated(Convolution conv) {
  if (conv.weight.defined()) {
    conv.weight.neg_();
    conv.bias.neg_();
  }
  return conv;
}

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  LayerGraph::Input input = {.bands = static_cast<int>(plan.bands)};
  if (plan.told) input.told.push_back(static_cast<float>(plan.noise_level));
  GraphBuilder graph(weights, input);
  FeatureMap x = graph.input();
  for (int64_t i = 0; i + 1 < plan.convs; ++i)
    x = graph.Conv(ConvOf(plan, graph.layers(), i), {x}, {.slope = 0});
  const Convolution last = ConvOf(plan, graph.layers(), plan.convs - 1);
  if (plan.told) return graph.Finish({.map = graph.Conv(last, {x})});
  return graph.Finish({.map = graph.Conv(Negated(last), {x}, {.added = {{graph.input(), 1.0f}}})});
}

class DnCnnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DnCNN"; }
  std::string_view known_by() const override { return "dncnn_25, dncnn3, dncnn_color_blind, fdncnn_color"; }

  std::string VariantOf(const Plan& plan) const override { return plan.told ? "FDnCNN" : "DnCNN"; }

  std::vector<Telltales> telltales() const override {
    return {{"model.0.weight", "model.2.weight", "model.4.weight", "model.6.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = 1;
    info.bands = static_cast<int>(plan.bands);
    if (plan.told) plan.noise_level = TRY(NoiseLevel(*weights, info));
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    // The input, with the level beside it, and the output, and a convolution's input and output in two
    // orders.
    parts.bytes = BytesOfFloats(3 * plan.bands + 1 + 4 * plan.features);
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<DnCnnNet>(plan, std::move(parts), std::move(weights));
  }
};

const DnCnnArchitecture instance;

}  // namespace

extern const Architecture& kDnCnn;
const Architecture& kDnCnn = instance;

}  // namespace imgmill
