// RCAN (Zhang et al., "Image Super-Resolution Using Very Deep Residual Channel Attention Networks", ECCV
// 2018): groups of residual blocks that weigh their channels by means over the whole image; convolutions with
// pixel shuffle. Some are trained on squares of pixels as channels, for x2 and x1.
//
// Key layout: head.0 (head.1 behind squares), body.G.body.B.body.{0,2}, body.G.body.B.body.3.conv_du.{0,2},
// tail.0.N, tail.1; sub_mean and add_mean where values are 0 to 255 less the training data's mean.
#include <algorithm>

#include "torch/architectures/architecture.h"
#include "torch/architectures/enlarging_tail.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr double kRange = 255;  // with means; it leaves no trace

struct Plan {
  int64_t features = 0, groups = 0, blocks = 0;
  int64_t squeezed = 0;  ///< channels that decide on the weights of all
  int64_t side = 3;      ///< of the kernels
  int64_t bands = 3;
  int64_t unshuffle = 1;  ///< side of the squares that become channels
  bool means = false;
  EnlargingTailShape tail;

  int scale() const { return static_cast<int>(tail.scale() / unshuffle); }
  std::string head() const { return unshuffle > 1 ? "head.1" : "head.0"; }
  /// Of kernels of another side, and means of what squares are made of, a graph has no layers.
  bool is_graph() const { return (side == 3 || side == 1) && !(means && unshuffle > 1); }
};

std::string Group(int64_t number) {
  return "body." + std::to_string(number);
}
std::string Block(int64_t group, int64_t number) {
  return Group(group) + ".body." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* head = weights.Find("head.0.weight");
  const bool squares = head == nullptr;
  if (squares) head = weights.Find("head.1.weight");
  const WeightTensor* squeeze = weights.Find("body.0.body.0.body.3.conv_du.0.weight");
  const WeightTensor* last = weights.Find("tail.1.weight");
  if (head == nullptr || squeeze == nullptr || last == nullptr) return false;
  plan.features = head->dim(0);
  plan.squeezed = squeeze->dim(0);
  plan.side = head->dim(2);
  plan.bands = last->dim(0);
  plan.groups = CountOf(weights, 0, [](int i) { return Block(i, 0) + ".body.0.weight"; });
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(0, i) + ".body.0.weight"; });
  plan.means = weights.Find("sub_mean.weight") != nullptr;
  plan.tail = ReadEnlargingTail(weights, "tail.0", plan.features);
  plan.tail.bands = plan.bands;
  plan.tail.side = plan.side;
  if (plan.tail.ups == 0 || (plan.bands != 1 && plan.bands != 3)) return false;
  if (!squares) return head->dim(1) == plan.bands;
  plan.unshuffle = ShuffleScale(head->dim(1), static_cast<int>(plan.bands));
  return plan.unshuffle > 1 && plan.tail.scale() % plan.unshuffle == 0;
}

class RcanNet final : public UpscaleNet {
 public:
  RcanNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const int64_t features = plan.features;
    const auto conv = [&](const std::string& name) {
      return layers.Conv(name, features, features, plan.side);
    };
    if (plan.means) {
      less_mean_ = layers.Conv("sub_mean", plan.bands, plan.bands, 1);
      plus_mean_ = layers.Conv("add_mean", plan.bands, plan.bands, 1);
    }
    head_ = layers.Conv(plan.head(), features, plan.bands * plan.unshuffle * plan.unshuffle, plan.side);
    for (int64_t g = 0; g < plan.groups; ++g) {
      GroupLayers& group = groups_.emplace_back();
      for (int64_t b = 0; b < plan.blocks; ++b) {
        const std::string name = Block(g, b) + ".body.";
        group.blocks.push_back({conv(name + "0"), conv(name + "2"),
                                layers.Conv(name + "3.conv_du.0", plan.squeezed, features, 1),
                                layers.Conv(name + "3.conv_du.2", features, plan.squeezed, 1)});
      }
      group.last = conv(Block(g, plan.blocks));
    }
    last_ = conv(Group(plan.groups));
    tail_ = EnlargingTail(layers, "tail.0", "tail.1", plan.tail);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * plan_.scale(), width = input.size(3) * plan_.scale();
    torch::Tensor x = PaddedToMultiple(input, plan_.unshuffle);
    if (plan_.means) x = less_mean_(x * kRange);
    if (plan_.unshuffle > 1) x = torch::pixel_unshuffle(x, plan_.unshuffle);
    x = head_(x);
    x = Body(x).add_(x);
    x = tail_(x);
    if (plan_.means) x = plus_mean_(x).div_(kRange);
    return x.slice(2, 0, height).slice(3, 0, width);
  }

 private:
  struct BlockLayers {
    Convolution first, second, squeeze, excite;
  };
  struct GroupLayers {
    std::vector<BlockLayers> blocks;
    Convolution last;
  };

  torch::Tensor Body(torch::Tensor x) const {
    for (const GroupLayers& group : groups_) {
      torch::Tensor inner = x;
      for (const BlockLayers& block : group.blocks) inner = Run(block, inner).add_(inner);
      x = group.last(inner).add_(x);
    }
    return last_(x);
  }

  static torch::Tensor Run(const BlockLayers& block, const torch::Tensor& input) {
    torch::Tensor x = block.first(input);
    x = block.second(x.relu_());
    torch::Tensor gate = block.squeeze(x.mean({2, 3}, /*keepdim=*/true));
    return x.mul_(block.excite(gate.relu_()).sigmoid_());
  }

  Plan plan_;
  Convolution less_mean_, plus_mean_, head_, last_;
  std::vector<GroupLayers> groups_;
  EnlargingTail tail_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  const auto features = static_cast<int>(plan.features), bands = static_cast<int>(plan.bands),
             squeezed = static_cast<int>(plan.squeezed), side = static_cast<int>(plan.side);
  GraphBuilder graph(weights, {.bands = bands,
                               .unshuffle = static_cast<int>(plan.unshuffle),
                               .range = plan.means ? static_cast<float>(kRange) : 1.0f});
  const auto conv = [&](const std::string& name, const FeatureMap& from, const GraphEnd& end) {
    return graph.Conv(name, features, {from}, end, side);
  };
  FeatureMap x = graph.input();
  if (plan.means) x = graph.Conv("sub_mean", bands, {x}, {}, 1);
  const FeatureMap head = conv(plan.head(), x, {});
  x = head;
  for (int64_t g = 0; g < plan.groups; ++g) {
    const FeatureMap group = x;
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const std::string name = Block(g, b) + ".body.";
      const FeatureMap inner = conv(name + "2", conv(name + "0", x, {.slope = 0}), {});
      FeatureMap gate = graph.Conv(name + "3.conv_du.0", squeezed, {graph.Mean(inner)}, {.slope = 0}, 1);
      gate = graph.Conv(name + "3.conv_du.2", features, {gate}, {}, 1);
      x = graph.Scaled(inner, graph.Function(gate, MapFunction::kSigmoid), {}, {{x, 1.0f}});
    }
    x = conv(Block(g, plan.blocks), x, {.added = {{group, 1.0f}}});
  }
  x = conv(Group(plan.groups), x, {.added = {{head, 1.0f}}});
  const Convolution last = graph.layers().Conv("tail.1", bands, features, side);
  x = AddEnlargingTail(graph, "tail.0", last, plan.tail, x, {});
  if (plan.means) x = graph.Conv("add_mean", bands, {x}, {.gain = static_cast<float>(1 / kRange)}, 1);
  return graph.Finish({.map = x});
}

class Rcan final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "RCAN"; }
  std::string_view known_by() const override { return "RCAN_BIX4, 2x-AnimeSharpV4_RCAN"; }

  std::vector<Telltales> telltales() const override {
    return {{"body.0.body.0.body.0.weight", "body.0.body.0.body.3.conv_du.0.weight", "tail.0.0.weight",
             "tail.1.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale();
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = -1;
    info.tile_grid = static_cast<int>(plan.unshuffle);
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    // The inputs of all groups, of one, and of a block, and what a block holds; or the first of them, and
    // what the tail holds.
    parts.bytes = [plan](int height, int width) {
      const auto squares = [&](int side) { return (side + plan.unshuffle - 1) / plan.unshuffle; };
      const int64_t rows = squares(height), columns = squares(width), area = rows * columns;
      const int64_t body = 6 * area * plan.features;
      const int64_t tail = area * plan.features + EnlargingTail::Floats(plan.tail, rows, columns) +
                           3 * plan.bands * area * plan.tail.scale() * plan.tail.scale();
      return static_cast<size_t>(std::max(body, tail)) * sizeof(float);
    };
    if (plan.is_graph()) RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<RcanNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
  static constexpr int kOverlap = 64;
};

const Rcan instance;

}  // namespace

extern const Architecture& kRcan;
const Architecture& kRcan = instance;

}  // namespace imgmill
