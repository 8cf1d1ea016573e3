// ArtCNN, the R kind (Chrisostomo, github.com/Artoriuz/ArtCNN): residual blocks of three convolutions with
// ReLU between them, the first features added, and one convolution to the channels of all output pixels. Most
// models enlarge luma alone, and have one band.
//
// Weights, as PyTorch's trainers name them: conv0, res_block.N.conv.0.0, conv.1.0 and conv.2, a convolution
// with the number behind the last block's, depth_to_space.upscale.0.
#include <algorithm>
#include <string>

#include "base/try.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

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

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands)});
  const auto conv = [&](const std::string& name, const FeatureMap& from, const GraphEnd& end) {
    return graph.Conv(name, static_cast<int>(plan.features), {from}, end, static_cast<int>(plan.side));
  };
  const FeatureMap first = conv(kFirst, graph.input(), {});
  FeatureMap x = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const std::string name = Block(b) + ".conv.";
    const FeatureMap y = conv(name + "1.0", conv(name + "0.0", x, {.slope = 0}), {.slope = 0});
    x = conv(name + "2", y, {.added = {{x, 1.0f}}});
  }
  x = conv(Block(plan.blocks), x, {.added = {{first, 1.0f}}});
  const int shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish(
      {.map = graph.Conv(kLast, shuffled, {x}, {}, static_cast<int>(plan.side)), .shuffle = plan.scale});
}

class ArtCnn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "ArtCNN"; }
  std::string_view known_by() const override { return "ArtCNN R8F64, R16F96"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv0.weight", "res_block.0.conv.0.0.weight", "depth_to_space.upscale.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    TRY(CheckKernelSide("an ArtCNN", plan.side));
    parts.overlap = kOverlap;
    return {};
  }

 private:
  /// R16F96 sees 51 pixels far; more are only to be expected of networks that nobody published.
  static constexpr int kOverlap = 64;
};

const ArtCnn instance;

}  // namespace

extern const GraphArchitecture& kArtCnn;
const GraphArchitecture& kArtCnn = instance;

}  // namespace imgmill
