// EDSR (Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPRW 2017):
// residual blocks of two convolutions, convolutions with pixel shuffle. It takes 0 to 255 less the mean of
// its training data.
//
// Key layouts: the authors' (head.0, body.N.body.{0,2}, tail.0.N, tail.1, sub_mean, add_mean), and BasicSR's
// of the same weights (conv_first, body.N.conv1, conv_after_body, upsample.N, conv_last), without the mean.
#include <algorithm>
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/enlarging_tail.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr double kRange = 255;
constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of DIV2K
/// The large network's blocks are multiplied by a tenth. That leaves no trace in the weights; the paper has
/// it for 256 features, and not for 64.
constexpr int64_t kLarge = 256;
constexpr double kLargeResidual = 0.1;

struct Names {
  std::string first, in_block_first, in_block_second, last, ups, output;
};
const Names kAuthors = {"head.0", ".body.0", ".body.2", "", "tail.0", "tail.1"};
const Names kBasicSr = {"conv_first", ".conv1", ".conv2", "conv_after_body", "upsample", "conv_last"};

struct Plan {
  Names names;
  int64_t features = 0, blocks = 0;
  bool has_means = false;
  EnlargingTailShape tail;

  double residual() const { return features >= kLarge ? kLargeResidual : 1; }
};

std::string Block(int64_t number) {
  return "body." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (const Names& names : {kAuthors, kBasicSr}) {
    const WeightTensor* first = weights.Find(names.first + ".weight");
    const int64_t blocks =
        CountOf(weights, 0, [&](int i) { return Block(i) + names.in_block_first + ".weight"; });
    if (first == nullptr || blocks == 0 || first->dim(1) != 3) continue;
    plan.names = names;
    // The authors' last convolution has the number after the blocks.
    if (plan.names.last.empty()) plan.names.last = Block(blocks);
    if (weights.Find(plan.names.last + ".weight") == nullptr ||
        weights.Find(names.output + ".weight") == nullptr) {
      continue;
    }
    plan.features = first->dim(0);
    plan.blocks = blocks;
    plan.has_means = weights.Find("sub_mean.weight") != nullptr;
    plan.tail = ReadEnlargingTail(weights, names.ups, plan.features);
    return plan.tail.ups > 0;
  }
  return false;
}

class EdsrNet final : public UpscaleNet {
 public:
  EdsrNet(const Plan& plan, Layers& layers) : residual_(plan.residual()) {
    const int64_t features = plan.features;
    if (plan.has_means) {
      less_mean_ = layers.Conv("sub_mean", 3, 3, 1);
      plus_mean_ = layers.Conv("add_mean", 3, 3, 1);
      has_means_ = true;
    }
    first_ = layers.Conv(plan.names.first, features, 3);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      blocks_.push_back({layers.Conv(Block(b) + plan.names.in_block_first, features, features),
                         layers.Conv(Block(b) + plan.names.in_block_second, features, features)});
    }
    last_ = layers.Conv(plan.names.last, features, features);
    tail_ = EnlargingTail(layers, plan.names.ups, plan.names.output, plan.tail);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const torch::Tensor mean =
        torch::tensor({kMean[0], kMean[1], kMean[2]}, input.options()).view({1, 3, 1, 1});
    torch::Tensor x = has_means_ ? less_mean_(input * kRange) : (input - mean).mul_(kRange);
    x = first_(x);
    {
      torch::Tensor body = x;
      for (const BlockLayers& block : blocks_) {
        torch::Tensor inner = block.first(body);
        body = block.second(inner.relu_()).mul_(residual_).add_(body);
      }
      x.add_(last_(body));
    }
    x = tail_(x);
    return has_means_ ? plus_mean_(x).div_(kRange) : x.div_(kRange).add_(mean);
  }

 private:
  struct BlockLayers {
    Convolution first, second;
  };

  double residual_;
  bool has_means_ = false;
  Convolution less_mean_, plus_mean_, first_, last_;
  std::vector<BlockLayers> blocks_;
  EnlargingTail tail_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  const auto features = static_cast<int>(plan.features);
  LayerGraph::Input input = {.range = static_cast<float>(kRange)};
  if (!plan.has_means) input.mean = {kMean.begin(), kMean.end()};
  GraphBuilder graph(weights, input);
  FeatureMap first = graph.input();
  if (plan.has_means) first = graph.Conv("sub_mean", 3, {first}, {}, 1);
  first = graph.Conv(plan.names.first, features, {first});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const FeatureMap inner = graph.Conv(Block(b) + plan.names.in_block_first, features, {x}, {.slope = 0});
    x = graph.Conv(Block(b) + plan.names.in_block_second, features, {inner},
                   {.gain = static_cast<float>(plan.residual()), .added = {{x, 1.0f}}});
  }
  x = graph.Conv(plan.names.last, features, {x}, {.added = {{first, 1.0f}}});
  const GraphEnd to_pixels = {.gain = static_cast<float>(1 / kRange)};
  Convolution last = graph.layers().Conv(plan.names.output, 3, plan.features);
  if (plan.has_means) {
    x = AddEnlargingTail(graph, plan.names.ups, last, plan.tail, x, {});
    return graph.Finish({.map = graph.Conv("add_mean", 3, {x}, to_pixels, 1)});
  }
  if (last.bias.defined()) last.bias = last.bias + torch::tensor({kMean[0], kMean[1], kMean[2]}) * kRange;
  return graph.Finish({.map = AddEnlargingTail(graph, plan.names.ups, last, plan.tail, x, to_pixels)});
}

class Edsr final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "EDSR"; }
  std::string_view known_by() const override { return "edsr_baseline_x2, edsr_x4, EDSR_Lx4"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"head.0.weight", "body.0.body.0.weight", "body.0.body.2.weight", "tail.0.0.weight", "tail.1.weight"},
        {"conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight", "upsample.0.weight",
         "conv_last.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = static_cast<int>(plan.tail.scale());
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    // The first features, a block's input, and what it holds; or the first, and what the tail holds.
    parts.bytes = [plan](int height, int width) {
      const int64_t area = int64_t{height} * width, scale = plan.tail.scale();
      const int64_t body = 5 * area * plan.features;
      const int64_t tail =
          area * plan.features + EnlargingTail::Floats(plan.tail, height, width) + 9 * area * scale * scale;
      return static_cast<size_t>(std::max(body, tail)) * sizeof(float);
    };
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<EdsrNet>(plan, std::move(parts), std::move(weights));
  }
};

const Edsr instance;

}  // namespace

extern const Architecture& kEdsr;
const Architecture& kEdsr = instance;

}  // namespace imgmill
