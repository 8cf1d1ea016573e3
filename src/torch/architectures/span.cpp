// SPAN (Wan et al., "Swift Parameter-free Attention Network for Efficient Super-Resolution", 2023): six
// blocks of three 3x3 convolutions at the input's size, whose output is weighed by itself, and pixel shuffle.
//
// Its convolutions are trained as three in a row beside a 1x1 one (conv.0 to conv.2, sk). A file holds these,
// the one convolution that they come to (eval_conv), or both; then the trained ones count.
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/pixel_bytes.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr double kRange = 255;
constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of the data that all were trained with
constexpr int kBlocks = 6;
/// A file that has this tensor is of a network that takes 0..1 as it is.
constexpr char kNoNorm[] = "no_norm";

struct Plan {
  int64_t features = 0;
  int scale = 0;
  bool normalizes = true;
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv_1.sk.weight");
  if (first == nullptr) first = weights.Find("conv_1.eval_conv.weight");
  const WeightTensor* last = weights.Find("upsampler.0.weight");
  if (first == nullptr || last == nullptr || weights.Find("block_6.c3_r.eval_conv.weight") == nullptr)
    return false;
  plan.features = first->dim(0);
  plan.scale = ShuffleScale(last->dim(0));
  plan.normalizes = weights.Find(kNoNorm) == nullptr;
  return plan.scale > 0;
}

/// The 3x3 convolution that `name` comes to.
Convolution Fused(Layers& layers, const std::string& name, int64_t out, int64_t in) {
  if (!layers.Has(name + ".sk.weight")) return layers.Conv(name + ".eval_conv", out, in);
  layers.PassOver(name + ".eval_conv.weight");
  layers.PassOver(name + ".eval_conv.bias");
  const int64_t inner = layers.Outputs(name + ".conv.0.weight");
  const Convolution wide = layers.Conv(name + ".conv.0", inner, in, 1);
  const Convolution middle = layers.Conv(name + ".conv.1", inner / in * out, inner, 3);
  const Convolution narrow = layers.Conv(name + ".conv.2", out, inner / in * out, 1);
  const Convolution skip = layers.Conv(name + ".sk", out, in, 1);
  Convolution fused;
  if (!skip.bias.defined()) return fused;
  const auto matrix = [](const Convolution& layer) { return layer.weight.flatten(1).to(torch::kFloat64); };
  const torch::Tensor last = matrix(narrow), centre = middle.weight.to(torch::kFloat64);
  torch::Tensor weight = torch::einsum("pm,mkyx,ki->piyx", {last, centre, matrix(wide)});
  weight.select(3, 1).select(2, 1).add_(matrix(skip));
  const torch::Tensor bias = torch::mv(centre.sum({2, 3}), wide.bias.to(torch::kFloat64)) + middle.bias;
  fused.weight = weight.to(skip.bias.scalar_type()).contiguous(torch::MemoryFormat::ChannelsLast);
  fused.bias = (torch::mv(last, bias) + narrow.bias + skip.bias).to(skip.bias.scalar_type());
  return fused;
}

class SpanNet final : public UpscaleNet {
 public:
  SpanNet(const Plan& plan, Layers& layers) : scale_(plan.scale), normalizes_(plan.normalizes) {
    const int64_t features = plan.features;
    layers.PassOver(kNoNorm);
    first_ = Fused(layers, "conv_1", features, 3);
    for (size_t b = 0; b < blocks_.size(); ++b) {
      for (size_t c = 0; c < blocks_[b].size(); ++c)
        blocks_[b][c] = Fused(layers, "block_" + std::to_string(b + 1) + ".c" + std::to_string(c + 1) + "_r",
                              features, features);
    }
    last_ = Fused(layers, "conv_2", features, features);
    together_ = layers.Conv("conv_cat", features, 4 * features, 1);
    shuffled_ = layers.Conv("upsampler.0", 3 * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor x = input;
    if (normalizes_) {
      const torch::Tensor mean =
          torch::tensor({kMean[0], kMean[1], kMean[2]}, input.options()).view({1, 3, 1, 1});
      x = (input - mean).mul_(kRange);
    }
    const torch::Tensor first = first_(x);
    torch::Tensor inner, after_first;
    x = first;
    for (size_t b = 0; b < blocks_.size(); ++b) {
      // Of the last block, what its first convolution gave is used once more, after the activation.
      x = Run(blocks_[b], x, inner);
      if (b == 0) after_first = x;
    }
    return torch::pixel_shuffle(shuffled_(together_(torch::cat({first, last_(x), after_first, inner}, 1))),
                                scale_);
  }

 private:
  using Block = std::array<Convolution, 3>;

  static torch::Tensor Run(const Block& block, const torch::Tensor& x, torch::Tensor& inner) {
    inner = block[0](x);
    torch::silu_(inner);
    torch::Tensor second = block[1](inner);
    const torch::Tensor third = block[2](torch::silu_(second));
    return (third + x).mul_(torch::sigmoid(third).sub_(0.5));
  }

  int64_t scale_;
  bool normalizes_;
  Convolution first_, last_, together_, shuffled_;
  std::array<Block, kBlocks> blocks_;
};

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  LayerGraph::Input input;
  if (plan.normalizes) {
    input.mean.assign(kMean.begin(), kMean.end());
    input.range = static_cast<float>(kRange);
  }
  GraphBuilder graph(weights, std::move(input));
  graph.layers().PassOver(kNoNorm);
  const auto fused = [&](const std::string& name, const FeatureMap& from, const GraphEnd& end = {}) {
    return graph.Conv(Fused(graph.layers(), name, plan.features, from.channels), {from}, end);
  };
  const FeatureMap first = fused("conv_1", graph.input());
  const GraphEnd silu = {.end = ConvEnd::kSilu};
  FeatureMap x = first, inner, after_first;
  for (int b = 1; b <= kBlocks; ++b) {
    const std::string block = "block_" + std::to_string(b);
    inner = fused(block + ".c1_r", x, silu);
    x = fused(block + ".c3_r", fused(block + ".c2_r", inner, silu),
              {.end = ConvEnd::kGate, .added = {{x, 1.0f}}});
    if (b == 1) after_first = x;
  }
  const FeatureMap last = fused("conv_2", x);
  const auto features = static_cast<int>(plan.features);
  x = graph.Conv("conv_cat", features, {first, last, after_first, inner}, {}, 1);
  return graph.Finish(
      {.map = graph.Conv("upsampler.0", 3 * plan.scale * plan.scale, {x}), .shuffle = plan.scale});
}

class SpanArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SPAN"; }
  std::string_view known_by() const override { return "spanx2, spanx4"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_1.eval_conv.weight", "block_6.c3_r.eval_conv.weight", "conv_cat.weight",
             "upsampler.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    // What is put together, twice, and what a block holds.
    parts.bytes = BytesOfFloats(plan.features * 12 + 3 * plan.scale * plan.scale);
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<SpanNet>(plan, std::move(parts), std::move(weights));
  }
};

const SpanArchitecture instance;

}  // namespace

extern const Architecture& kSpan;
const Architecture& kSpan = instance;

}  // namespace imgmill
