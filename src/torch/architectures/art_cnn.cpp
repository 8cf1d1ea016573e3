// ArtCNN, the R kind (Chrisostomo, github.com/Artoriuz/ArtCNN): residual blocks of three convolutions with
// ReLU between them, the first features added, and one convolution to the channels of all output pixels. Most
// models enlarge luma alone, and have one band.
//
// Weights, as PyTorch's trainers name them: conv0, res_block.N.conv.0.0, conv.1.0 and conv.2, a convolution
// with the number behind the last block's, depth_to_space.upscale.0.
#include <algorithm>

#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

const char* const kFirst = "conv0";
const char* const kLast = "depth_to_space.upscale.0";

struct Plan {
  int64_t bands = 3, features = 0, blocks = 0;
  int64_t side = 3;  ///< of all kernels
  int scale = 0;
};

std::string Block(int64_t number) {
  return "res_block." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find(std::string(kFirst) + ".weight");
  const WeightTensor* last = weights.Find(std::string(kLast) + ".weight");
  if (first == nullptr || last == nullptr) return false;
  plan.features = first->dim(0);
  plan.bands = first->dim(1);
  plan.side = first->dim(2);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".conv.0.0.weight"; });
  plan.scale = ShuffleScale(last->dim(0), plan.bands);
  return (plan.bands == 1 || plan.bands == 3) && plan.features > 0 && plan.side % 2 == 1 && plan.blocks > 0 &&
         plan.scale > 0;
}

class ArtCnnNet final : public UpscaleNet {
 public:
  ArtCnnNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    const int64_t features = plan.features, side = plan.side;
    first_ = layers.Conv(kFirst, features, plan.bands, side);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const auto conv = [&](const char* name) {
        return layers.Conv(Block(b) + ".conv." + name, features, features, side);
      };
      blocks_.push_back({conv("0.0"), conv("1.0"), conv("2")});
    }
    after_ = layers.Conv(Block(plan.blocks), features, features, side);
    last_ = layers.Conv(kLast, plan.bands * plan.scale * plan.scale, features, side);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const torch::Tensor first = first_(input);
    torch::Tensor x = first;
    for (const BlockLayers& block : blocks_) {
      torch::Tensor y = block.first(x).relu_();
      y = block.second(y).relu_();
      x = block.third(y).add_(x);
    }
    return torch::pixel_shuffle(last_(after_(x).add_(first)), scale_);
  }

 private:
  struct BlockLayers {
    Convolution first, second, third;
  };
  int64_t scale_;
  Convolution first_, after_, last_;
  std::vector<BlockLayers> blocks_;
};

/// The same on our own kernels, which have no larger ones than 3x3.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  const auto features = static_cast<int>(plan.features), side = static_cast<int>(plan.side);
  const auto conv = [&](const std::string& name, const FeatureMap& from, const GraphEnd& end) {
    return graph.Conv(name, features, {from}, end, side);
  };
  const FeatureMap first = conv(kFirst, graph.input(), {});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const std::string name = Block(b) + ".conv.";
    const FeatureMap y = conv(name + "1.0", conv(name + "0.0", x, {.slope = 0}), {.slope = 0});
    x = conv(name + "2", y, {.added = {{x, 1.0f}}});
  }
  x = conv(Block(plan.blocks), x, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish({.map = graph.Conv(kLast, shuffled, {x}, {}, side), .shuffle = plan.scale});
}

class ArtCnn final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "ArtCNN"; }
  std::string_view known_by() const override { return "ArtCNN R8F64, R16F96"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv0.weight", "res_block.0.conv.0.0.weight", "depth_to_space.upscale.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    // Three convolutions a block, and three beside them; a graph says it, too.
    info.receptive_radius = static_cast<int>(plan.side / 2 * (3 * plan.blocks + 3));
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.overlap = static_cast<int>(std::min<int64_t>(kOverlap, parts.info.receptive_radius));
    if (plan.side <= 3) RunOnKernels(parts, plan, GraphOf);
    // The first features, a block's input, and what it holds with the library's reordered copy; or the last
    // features and the channels of all output pixels, twice.
    parts.bytes = [plan](int height, int width) {
      const int64_t area = int64_t{height} * width;
      const int64_t body = 5 * plan.features;
      const int64_t end = 3 * plan.features + 3 * plan.bands * plan.scale * plan.scale;
      return static_cast<size_t>(area * std::max(body, end)) * sizeof(float);
    };
    return LoadLayers<ArtCnnNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  /// R16F96 sees 51 pixels far; more are only to be expected of networks that nobody published.
  static constexpr int64_t kOverlap = 64;
};

const ArtCnn instance;

}  // namespace

extern const Architecture& kArtCnn;
const Architecture& kArtCnn = instance;

}  // namespace imgmill
