// IMDN (Hui et al., "Lightweight Image Super-Resolution with Information Multi-distillation Network", 2019)
// in the form without channel attention that won the AIM 2019 challenge and was the baseline of NTIRE 2022.
// Each block has four 3x3 convolutions; after each, some features are kept for the end of the block and the
// rest continues.
//
// Weights: model.0, model.1.sub.N.conv1.0 to conv3.0, conv4 and conv1x1, model.1.sub.BLOCKS, model.2.
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/joined_conv.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/pixel_bytes.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr double kSlope = 0.05;  // of all leaky ReLUs

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t kept = 0;  ///< after each convolution of a block
  int64_t blocks = 0;
  int scale = 0;
};

std::string Block(int64_t number) {
  return "model.1.sub." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("model.0.weight");
  const WeightTensor* fourth = weights.Find("model.1.sub.0.conv4.weight");
  const WeightTensor* last = weights.Find("model.2.weight");
  if (first == nullptr || fourth == nullptr || last == nullptr ||
      weights.Find("model.1.sub.0.conv1.0.weight") == nullptr ||
      weights.Find("model.1.sub.0.conv1x1.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.kept = fourth->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".conv1.0.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

class ImdnNet final : public UpscaleNet {
 public:
  ImdnNet(const Plan& plan, Layers& layers) : kept_(plan.kept), scale_(plan.scale) {
    const int64_t features = plan.features, rest = features - plan.kept;
    first_ = layers.Conv("model.0", features, plan.bands);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      Distillation& block = blocks_.emplace_back();
      block.convs[0] = layers.Conv(Block(b) + ".conv1.0", features, features);
      block.convs[1] = layers.Conv(Block(b) + ".conv2.0", features, rest);
      block.convs[2] = layers.Conv(Block(b) + ".conv3.0", features, rest);
      block.last = layers.Conv(Block(b) + ".conv4", kept_, rest);
      block.joined = layers.Conv(Block(b) + ".conv1x1", features, 4 * kept_, 1);
    }
    body_ = layers.Conv(Block(plan.blocks), features, features);
    shuffled_ = layers.Conv("model.2", plan.bands * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor first = first_(input);
    torch::Tensor x = first;
    for (const Distillation& block : blocks_) x = Run(block, x);
    first.add_(body_(x));
    x.reset();
    return torch::pixel_shuffle(shuffled_(first), scale_);
  }

 private:
  struct Distillation {
    std::array<Convolution, 3> convs;
    Convolution last, joined;
  };

  torch::Tensor Run(const Distillation& block, const torch::Tensor& input) const {
    JoinedConv joined(block.joined);
    torch::Tensor rest = input;
    for (const Convolution& conv : block.convs) {
      torch::Tensor all = conv(rest);
      torch::leaky_relu_(all, kSlope);
      joined.Add(all.narrow(1, 0, kept_));
      rest = all.narrow(1, kept_, all.size(1) - kept_);
    }
    joined.Add(block.last(rest));
    return joined.Take().add_(input);
  }

  int64_t kept_, scale_;
  Convolution first_, body_, shuffled_;
  std::vector<Distillation> blocks_;
};

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const GraphEnd leaky = {.slope = static_cast<float>(kSlope)};
  const FeatureMap first = graph.Conv("model.0", features, {graph.input()});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    std::vector<FeatureMap> joined;
    FeatureMap rest = x;
    for (int c = 1; c <= 3; ++c) {
      const std::string name = Block(b) + ".conv" + std::to_string(c) + ".0";
      const auto parts = graph.Split(graph.layers().Conv(name, features, rest.channels), rest, kept, leaky);
      joined.push_back(parts.first);
      rest = parts.rest;
    }
    joined.push_back(graph.Conv(Block(b) + ".conv4", kept, {rest}));
    x = graph.Conv(Block(b) + ".conv1x1", features, joined, {.added = {{x, 1.0f}}}, 1);
  }
  x = graph.Conv(Block(plan.blocks), features, {x}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish({.map = graph.Conv("model.2", shuffled, {x}), .shuffle = plan.scale});
}

class ImdnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "IMDN"; }
  std::string_view known_by() const override { return "imdn_baseline of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"model.0.weight", "model.1.sub.0.conv1.0.weight", "model.1.sub.0.conv1x1.weight", "model.2.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    // A block's input, its sum, a convolution's input and output in two orders, and the first features.
    parts.bytes = BytesOfFloats(7 * plan.features + 2 * plan.bands * plan.scale * plan.scale);
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<ImdnNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 336;  // a batch of one fits 512 MiB beside an image
  /// What lies further away changes no value by more than 0.001 levels.
  static constexpr int kOverlap = 24;
};

const ImdnArchitecture instance;

}  // namespace

extern const Architecture& kImdn;
const Architecture& kImdn = instance;

}  // namespace imgmill
