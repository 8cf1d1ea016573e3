// IMDN+ (Zheng et al., in Li et al., "NTIRE 2022 Challenge on Efficient Super-Resolution", 2022): blocks of
// six 3x3 convolutions that become narrower: after each, a sixth of the features is kept for the end of the
// block. A file holds what the trained layers come to.
//
// Weights: FEM.0, FEM.1.sub.N.c1 to c7, FEM.1.sub.BLOCKS, RM.0.
#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/joined_conv.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/pixel_bytes.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t steps = 0;  ///< convolutions of a block, but for the 1x1 one at its end
  int64_t blocks = 0;
  int scale = 0;
};

std::string Block(int64_t number) {
  return "FEM.1.sub." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("FEM.0.weight");
  const WeightTensor* last = weights.Find("RM.0.weight");
  if (first == nullptr || last == nullptr || weights.Find("FEM.1.sub.0.c1.weight") == nullptr) return false;
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.steps = CountOf(weights, 1, [](int i) { return Block(0) + ".c" + std::to_string(i) + ".weight"; }) - 1;
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".c1.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0 && plan.steps > 0 && plan.steps <= kMostConvInputs && plan.features % plan.steps == 0;
}

class ImdnPlusNet final : public UpscaleNet {
 public:
  ImdnPlusNet(const Plan& plan, Layers& layers) : kept_(plan.features / plan.steps), scale_(plan.scale) {
    first_ = layers.Conv("FEM.0", plan.features, plan.bands);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      Distillation& block = blocks_.emplace_back();
      for (int64_t s = 0; s < plan.steps; ++s) {
        const int64_t left = plan.features - s * kept_;
        block.convs.push_back(layers.Conv(Block(b) + ".c" + std::to_string(s + 1), left, left));
      }
      block.joined =
          layers.Conv(Block(b) + ".c" + std::to_string(plan.steps + 1), plan.features, plan.features, 1);
    }
    body_ = layers.Conv(Block(plan.blocks), plan.features, plan.features);
    shuffled_ = layers.Conv("RM.0", plan.bands * plan.scale * plan.scale, plan.features);
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
    std::vector<Convolution> convs;
    Convolution joined;
  };

  torch::Tensor Run(const Distillation& block, const torch::Tensor& input) const {
    JoinedConv joined(block.joined);
    torch::Tensor rest = input;
    for (const Convolution& conv : block.convs) {
      torch::Tensor all = conv(rest);
      torch::silu_(all);
      joined.Add(all.narrow(1, 0, kept_));
      rest = all.narrow(1, kept_, all.size(1) - kept_);
    }
    return joined.Take().add_(input);
  }

  int64_t kept_, scale_;
  Convolution first_, body_, shuffled_;
  std::vector<Distillation> blocks_;
};

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.features / plan.steps);
  const GraphEnd silu = {.end = ConvEnd::kSilu};
  const FeatureMap first = graph.Conv("FEM.0", features, {graph.input()});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const auto name = [&](int64_t step) { return Block(b) + ".c" + std::to_string(step); };
    std::vector<FeatureMap> joined;
    FeatureMap rest = x;
    for (int64_t s = 1; s < plan.steps; ++s) {
      const auto parts =
          graph.Split(graph.layers().Conv(name(s), rest.channels, rest.channels), rest, kept, silu);
      joined.push_back(parts.first);
      rest = parts.rest;
    }
    joined.push_back(graph.Conv(name(plan.steps), kept, {rest}, silu));
    x = graph.Conv(name(plan.steps + 1), features, joined, {.added = {{x, 1.0f}}}, 1);
  }
  x = graph.Conv(Block(plan.blocks), features, {x}, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish({.map = graph.Conv("RM.0", shuffled, {x}), .shuffle = plan.scale});
}

class ImdnPlusArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "IMDN+"; }
  std::string_view known_by() const override { return "team39_imdn_plus of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"FEM.0.weight", "FEM.1.sub.0.c1.weight", "RM.0.weight"}};
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
    return LoadLayers<ImdnPlusNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 384;
  /// What lies further away changes no value by more than 0.001 levels.
  static constexpr int kOverlap = 24;
};

const ImdnPlusArchitecture instance;

}  // namespace

extern const Architecture& kImdnPlus;
const Architecture& kImdnPlus = instance;

}  // namespace imgmill
