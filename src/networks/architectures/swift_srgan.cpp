// Swift-SRGAN (Krishnan et al., "SwiftSRGAN: Rethinking Super-Resolution for Efficient and Real-time
// Inference", 2021): SRResNet with each convolution split in one for each channel and one across them.
//
// Weights: initial.cnn.depthwise, residual.0.block1, convblock, upsampler.0.conv.pointwise,
// final_conv.depthwise. The second convolution of a block has slopes that nothing uses.
#include <string>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr int64_t kWide = 9;  ///< side of the first and the last kernel
constexpr int kMostDoublings = 3;

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int blocks = 0;
  int doublings = 0;
};

std::string Block(int64_t number) {
  return "residual." + std::to_string(number);
}

std::string Up(int64_t number) {
  return "upsampler." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("initial.cnn.depthwise.weight");
  const WeightTensor* wide = weights.Find("initial.cnn.pointwise.weight");
  if (first == nullptr || wide == nullptr || weights.Find("final_conv.pointwise.weight") == nullptr)
    return false;
  plan.bands = first->dim(0);
  plan.features = wide->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".block1.cnn.depthwise.weight"; });
  plan.doublings = CountOf(weights, 0, [](int i) { return Up(i) + ".conv.depthwise.weight"; });
  return (plan.bands == 1 || plan.bands == 3) && plan.features > 0 && plan.doublings <= kMostDoublings;
}

/// NAME.depthwise and NAME.pointwise.
struct Separable {
  ConvWeights depthwise, pointwise;
};

Separable SeparableOf(LayerWeights& layers, const std::string& name, int64_t out, int64_t in, int64_t side) {
  return {layers.Conv(name + ".depthwise", in, in, {.side = side, .groups = in}),
          layers.Conv(name + ".pointwise", out, in, 1)};
}

/// NAME.cnn without biases and NAME.bn behind it.
Separable WithNorm(LayerWeights& layers, const std::string& name, int64_t features) {
  return {layers.Conv(name + ".cnn.depthwise", features, features, {.groups = features, .bias = false}),
          layers.ConvNorm(name + ".cnn.pointwise", name + ".bn", features, features, {.side = 1})};
}

FeatureMap AddSeparable(GraphBuilder& graph, const Separable& conv, const FeatureMap& x,
                        const GraphEnd& end) {
  return graph.Conv(conv.pointwise, {graph.Depthwise(conv.depthwise, x)}, end);
}

/// (tanh(v) + 1) / 2 is sigmoid(2 v).
ConvWeights Twice(ConvWeights conv) {
  if (conv.weight.defined()) conv.weight = conv.weight.Times(2);
  if (conv.bias.defined()) conv.bias = conv.bias.Times(2);
  return conv;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  LayerWeights& layers = graph.layers();
  const int64_t features = plan.features;
  const auto slopes = [&](const std::string& name) { return layers.Parameter(name, {features}); };
  const FeatureMap first =
      AddSeparable(graph, SeparableOf(layers, "initial.cnn", features, plan.bands, kWide), graph.input(),
                   {.slopes = slopes("initial.act.weight")});
  FeatureMap x = first;
  for (int b = 0; b < plan.blocks; ++b) {
    const std::string name = Block(b);
    const FeatureMap inner = AddSeparable(graph, WithNorm(layers, name + ".block1", features), x,
                                          {.slopes = slopes(name + ".block1.act.weight")});
    x = AddSeparable(graph, WithNorm(layers, name + ".block2", features), inner, {.added = {{x, 1.0f}}});
    layers.PassOver(name + ".block2.act.weight");
  }
  x = AddSeparable(graph, WithNorm(layers, "convblock", features), x, {.added = {{first, 1.0f}}});
  layers.PassOver("convblock.act.weight");
  for (int u = 0; u < plan.doublings; ++u) {
    const Separable up = SeparableOf(layers, Up(u) + ".conv", 4 * features, features, 3);
    x = graph.DoubledInSize(up.pointwise, graph.Depthwise(up.depthwise, x),
                            {.slopes = slopes(Up(u) + ".act.weight")});
  }
  Separable last = SeparableOf(layers, "final_conv", plan.bands, features, kWide);
  last.pointwise = Twice(last.pointwise);
  return graph.Finish({.map = AddSeparable(graph, last, x, {}), .end = MapFunction::kSigmoid});
}

class SwiftSrgan final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "Swift-SRGAN"; }
  std::string_view known_by() const override { return "swift_srgan_2x, swift_srgan_4x"; }

  std::vector<Telltales> telltales() const override {
    return {{"initial.cnn.depthwise.weight", "residual.0.block1.cnn.depthwise.weight",
             "convblock.cnn.pointwise.weight", "final_conv.pointwise.weight"}};
  }
};

const SwiftSrgan instance;

}  // namespace

extern const GraphArchitecture& kSwiftSrgan;
const GraphArchitecture& kSwiftSrgan = instance;

}  // namespace imgmill
