// EFDN (Wang, "Edge-enhanced Feature Distillation Network for Efficient Super-Resolution", 2022): four blocks
// of a 1x1 and two 3x3 convolutions with PReLU; half the features of each step go into what the block comes
// to, which spatial attention weighs. Outputs of blocks are joined in pairs on the way. A file holds what the
// trained layers come to.
//
// Weights: head, cells.N.conv1.conv1x1, conv2.rep_conv, conv3.rep_conv, cells.N.convK.act, cells.N.branch.K,
// cells.N.fuse, cells.N.att.*, local_fuse.N, tail.0.
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/joined_conv.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/pixel_bytes.h"
#include "torch/architectures/spatial_attention.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr size_t kBlocks = 4;  // the pairs that are joined are known of four

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t kept = 0;  ///< of the features, by each branch
  int scale = 0;
};

std::string Block(size_t index) {
  return "cells." + std::to_string(index);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("head.weight");
  const WeightTensor* branch = weights.Find("cells.0.branch.0.weight");
  const WeightTensor* last = weights.Find("tail.0.weight");
  if (first == nullptr || branch == nullptr || last == nullptr ||
      weights.Find("cells.0.conv2.rep_conv.weight") == nullptr ||
      weights.Find("local_fuse.2.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = first->dim(0);
  plan.kept = branch->dim(0);
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

class EfdnNet final : public UpscaleNet {
 public:
  EfdnNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    const int64_t features = plan.features;
    first_ = layers.Conv("head", features, plan.bands);
    for (size_t b = 0; b < kBlocks; ++b) {
      Distillation& block = blocks_[b];
      for (size_t s = 0; s < block.steps.size(); ++s) {
        const std::string step = Block(b) + ".conv" + std::to_string(s + 1);
        block.steps[s] = s == 0 ? layers.Conv(step + ".conv1x1", features, features, 1)
                                : layers.Conv(step + ".rep_conv", features, features);
        block.slopes[s] = layers.Parameter(step + ".act.weight", {features});
      }
      for (size_t s = 0; s < block.keep.size(); ++s)
        block.keep[s] = layers.Conv(Block(b) + ".branch." + std::to_string(s), plan.kept, features, 1);
      block.joined = layers.Conv(Block(b) + ".fuse", features, 4 * plan.kept, 1);
      block.attention = SpatialAttention(layers, Block(b) + ".att", features, {});
    }
    for (size_t p = 0; p < pairs_.size(); ++p)
      pairs_[p] = layers.Conv("local_fuse." + std::to_string(p), features, 2 * features, 1);
    shuffled_ = layers.Conv("tail.0", plan.bands * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor first = first_(WithRoomForAttention(input));
    {
      // The first two blocks follow each other. Each further one sees the last two outputs joined, and its
      // own is then joined with the second block's.
      torch::Tensor x = Run(blocks_[0], first);
      const torch::Tensor second = Run(blocks_[1], x);
      x = Joined(pairs_[0], x, second);
      x = Run(blocks_[2], x);
      x = Joined(pairs_[1], second, x);
      x = Run(blocks_[3], x);
      first.add_(Joined(pairs_[2], second, x));
    }
    return torch::pixel_shuffle(shuffled_(first), scale_)
        .slice(2, 0, input.size(2) * scale_)
        .slice(3, 0, input.size(3) * scale_);
  }

 private:
  struct Distillation {
    std::array<Convolution, 3> steps;
    std::array<torch::Tensor, 3> slopes;
    std::array<Convolution, 4> keep;
    Convolution joined;
    SpatialAttention attention;
  };

  static torch::Tensor Joined(const Convolution& layer, const torch::Tensor& one,
                              const torch::Tensor& other) {
    JoinedConv joined(layer);
    joined.Add(one);
    joined.Add(other);
    return joined.Take();
  }

  static torch::Tensor Run(const Distillation& block, const torch::Tensor& input) {
    JoinedConv joined(block.joined);
    torch::Tensor x = input;
    joined.Add(block.keep[0](x));
    for (size_t s = 0; s < block.steps.size(); ++s) {
      x = torch::prelu(block.steps[s](x), block.slopes[s]);
      joined.Add(block.keep[s + 1](x));
    }
    x.reset();
    return block.attention(joined.Take()).add_(input);
  }

  int64_t scale_;
  Convolution first_, shuffled_;
  std::array<Distillation, kBlocks> blocks_;
  std::array<Convolution, kBlocks - 1> pairs_;
};

FeatureMap AddBlock(GraphBuilder& graph, const Plan& plan, size_t b, const FeatureMap& input) {
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const auto keep = [&](int branch, const FeatureMap& from) {
    return graph.Conv(Block(b) + ".branch." + std::to_string(branch), kept, {from}, {}, 1);
  };
  std::vector<FeatureMap> joined = {keep(0, input)};
  FeatureMap x = input;
  for (int s = 1; s <= 3; ++s) {
    const std::string step = Block(b) + ".conv" + std::to_string(s);
    const torch::Tensor slopes = graph.layers().Parameter(step + ".act.weight", {plan.features});
    x = s == 1 ? graph.Conv(step + ".conv1x1", features, {x}, {.slopes = slopes}, 1)
               : graph.Conv(step + ".rep_conv", features, {x}, {.slopes = slopes});
    joined.push_back(keep(s, x));
  }
  const FeatureMap fused = graph.Conv(Block(b) + ".fuse", features, joined, {}, 1);
  return AddAttention(graph, Block(b) + ".att", fused, {}, &input);
}

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands), .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features);
  const auto join = [&](int pair, const FeatureMap& one, const FeatureMap& other, const GraphEnd& end = {}) {
    return graph.Conv("local_fuse." + std::to_string(pair), features, {one, other}, end, 1);
  };
  const FeatureMap first = graph.Conv("head", features, {graph.input()});
  FeatureMap x = AddBlock(graph, plan, 0, first);
  const FeatureMap second = AddBlock(graph, plan, 1, x);
  x = AddBlock(graph, plan, 2, join(0, x, second));
  x = AddBlock(graph, plan, 3, join(1, second, x));
  x = join(2, second, x, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish({.map = graph.Conv("tail.0", shuffled, {x}), .shuffle = plan.scale});
}

class EfdnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "EFDN"; }
  std::string_view known_by() const override { return "team01_efdn of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"head.weight", "cells.0.conv2.rep_conv.weight", "local_fuse.2.weight", "tail.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    UpscaleNetworkParts parts = PartsWithAttention(std::move(info));
    // First features, the second block's, a block's input and sum, a step's input and output in two orders.
    parts.bytes = BytesOfFloats(9 * plan.features + 2 * plan.bands * plan.scale * plan.scale);
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<EfdnNet>(plan, std::move(parts), std::move(weights));
  }
};

const EfdnArchitecture instance;

}  // namespace

extern const Architecture& kEfdn;
const Architecture& kEfdn = instance;

}  // namespace imgmill
