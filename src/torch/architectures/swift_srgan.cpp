// Swift-SRGAN (Krishnan et al., "SwiftSRGAN: Rethinking Super-Resolution for Efficient and Real-time
// Inference", 2021): SRResNet with each convolution split in one for each channel and one across them.
//
// Weights: initial.cnn.depthwise, residual.0.block1, convblock, upsampler.0.conv.pointwise,
// final_conv.depthwise. The second convolution of a block has slopes that nothing uses.
#include <algorithm>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr int64_t kWide = 9;  ///< side of the first and the last kernel
constexpr int64_t kBandRows = 32;
constexpr int kMostDoublings = 3;

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int blocks = 0;
  int doublings = 0;
  int64_t scale() const { return int64_t{1} << doublings; }
  /// Rows and columns of the features that a pixel of the output sees, in the layers that enlarge.
  int64_t context() const { return (doublings > 0 ? 2 : 0) + (kWide / 2 + scale() - 1) / scale(); }
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
  Convolution depthwise, pointwise;
  torch::Tensor operator()(const torch::Tensor& x) const { return pointwise(depthwise(x)); }
};

Separable SeparableOf(Layers& layers, const std::string& name, int64_t out, int64_t in, int64_t side) {
  return {layers.Conv(name + ".depthwise", in, in, {.side = side, .groups = in}),
          layers.Conv(name + ".pointwise", out, in, 1)};
}

/// NAME.cnn without biases and NAME.bn behind it.
Separable WithNorm(Layers& layers, const std::string& name, int64_t features) {
  return {layers.Conv(name + ".cnn.depthwise", features, features, {.groups = features, .bias = false}),
          layers.ConvNorm(name + ".cnn.pointwise", name + ".bn", features, features, {.side = 1})};
}

class SwiftSrganNet final : public UpscaleNet {
 public:
  SwiftSrganNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const int64_t features = plan.features;
    first_ = SeparableOf(layers, "initial.cnn", features, plan.bands, kWide);
    first_slope_ = layers.Parameter("initial.act.weight", {features});
    for (int b = 0; b < plan.blocks; ++b) {
      const std::string name = Block(b);
      blocks_.push_back({WithNorm(layers, name + ".block1", features),
                         WithNorm(layers, name + ".block2", features),
                         layers.Parameter(name + ".block1.act.weight", {features})});
      layers.PassOver(name + ".block2.act.weight");
    }
    after_ = WithNorm(layers, "convblock", features);
    layers.PassOver("convblock.act.weight");
    for (int u = 0; u < plan.doublings; ++u)
      ups_.push_back({SeparableOf(layers, Up(u) + ".conv", 4 * features, features, 3),
                      layers.Parameter(Up(u) + ".act.weight", {features})});
    last_ = SeparableOf(layers, "final_conv", plan.bands, features, kWide);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const torch::Tensor first = torch::prelu(first_(input), first_slope_);
    torch::Tensor x = first;
    for (const BlockLayers& block : blocks_)
      x = block.second(torch::prelu(block.first(x), block.slope)).add_(x);
    x = after_(x).add_(first);
    return Image(x).tanh_().add_(1).div_(2);
  }

 private:
  struct BlockLayers {
    Separable first, second;
    torch::Tensor slope;
  };
  struct Doubler {
    Separable conv;
    torch::Tensor slope;
  };

  /// In bands of rows: for each pixel of the input there are many of all features.
  torch::Tensor Image(const torch::Tensor& features) const {
    const int64_t height = features.size(2), scale = plan_.scale(), context = plan_.context();
    torch::Tensor output = torch::empty(
        {features.size(0), plan_.bands, height * scale, features.size(3) * scale}, features.options());
    for (int64_t top = 0; top < height; top += kBandRows) {
      const int64_t rows = std::min(kBandRows, height - top), first = std::max<int64_t>(0, top - context);
      torch::Tensor x = features.slice(2, first, std::min(height, top + rows + context));
      for (const Doubler& up : ups_) x = torch::prelu(torch::pixel_shuffle(up.conv(x), 2), up.slope);
      output.narrow(2, top * scale, rows * scale)
          .copy_(last_(x).narrow(2, (top - first) * scale, rows * scale));
    }
    return output;
  }

  Plan plan_;
  Separable first_, after_, last_;
  torch::Tensor first_slope_;
  std::vector<BlockLayers> blocks_;
  std::vector<Doubler> ups_;
};

FeatureMap AddSeparable(GraphBuilder& graph, const Separable& conv, const FeatureMap& x,
                        const GraphEnd& end) {
  return graph.Conv(conv.pointwise, {graph.Depthwise(conv.depthwise, x)}, end);
}

/// (tanh(v) + 1) / 2 is sigmoid(2 v).
Convolution Twice(Convolution conv) {
  if (conv.weight.defined()) conv.weight.mul_(2);
  if (conv.bias.defined()) conv.bias.mul_(2);
  return conv;
}

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  Layers& layers = graph.layers();
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

class SwiftSrganArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "Swift-SRGAN"; }
  std::string_view known_by() const override { return "swift_srgan_2x, swift_srgan_4x"; }

  std::vector<Telltales> telltales() const override {
    return {{"initial.cnn.depthwise.weight", "residual.0.block1.cnn.depthwise.weight",
             "convblock.cnn.pointwise.weight", "final_conv.pointwise.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = static_cast<int>(plan.scale());
    info.bands = static_cast<int>(plan.bands);
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.bytes = [plan](int height, int width) { return Bytes(plan, height, width); };
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<SwiftSrganNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static size_t Bytes(const Plan& plan, int64_t height, int64_t width) {
    const int64_t scale = plan.scale(), rows = std::min(height, kBandRows + 2 * plan.context());
    // The first features and a block's, those inside it in three forms; then two of these, the output, and
    // what the last doubling, or the last convolution, holds of a band.
    const int64_t body = 6 * plan.features * height * width;
    const int64_t end = (2 * plan.features + plan.bands * scale * scale) * height * width +
                        rows * width * scale * scale * (3 * plan.features + plan.bands);
    return static_cast<size_t>(std::max(body, end)) * sizeof(float);
  }
};

const SwiftSrganArchitecture instance;

}  // namespace

extern const Architecture& kSwiftSrgan;
const Architecture& kSwiftSrgan = instance;

}  // namespace imgmill
