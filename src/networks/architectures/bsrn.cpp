// BSRN (Li et al., "Blueprint Separable Residual Network for Efficient Image Super-Resolution", 2022) in the
// small form that took part in NTIRE 2022: RFDN's blocks with GELU, 3x3 convolutions that are a 1x1 one with
// one of each plane behind it, and after the spatial attention a learned weight for each feature.
//
// Weights: fea_conv.pw and .dw, BN.c1_d, BN.c1_r.pw and .dw, ..., BN.c4, BN.c5, BN.esa.*, BN.cw, BN.conv_out,
// c1, c2, upsampler.upsampleOneStep.0. Those of 1x1 layers are matrices.
#include <vector>

#include "networks/architectures/spatial_attention.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr int64_t kCopies = 4;  // of the image, one behind another, that the first layer sees

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;
  int64_t kept = 0;  ///< of the features, by each 1x1 layer
  int64_t blocks = 0;
  int scale = 0;
};

std::string Block(int64_t index) {
  return std::string("B").append(std::to_string(index + 1));
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("fea_conv.pw.weight");
  const WeightTensor* keep = weights.Find("B1.c1_d.weight");
  const WeightTensor* last = weights.Find("upsampler.upsampleOneStep.0.weight");
  if (first == nullptr || keep == nullptr || last == nullptr || weights.Find("B1.cw") == nullptr ||
      weights.Find("B1.c1_r.pw.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1) == kCopies ? 1 : 3;
  plan.features = first->dim(0);
  plan.kept = keep->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + ".c5.weight"; });
  plan.scale = ShuffleScale(last->dim(0), static_cast<int>(plan.bands));
  return plan.scale > 0;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands), .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const GraphEnd gelu = {.end = ConvEnd::kGelu};
  const auto pointwise = [&](const std::string& name, int out, const std::vector<FeatureMap>& from,
                             const GraphEnd& end) {
    int64_t in = 0;
    for (const FeatureMap& map : from) in += map.channels;
    return graph.Conv(graph.layers().Pointwise(name, out, in), from, end);
  };
  const std::vector<FeatureMap> copies(kCopies, graph.input());
  const FeatureMap first = AddSpatialConv(graph, "fea_conv", features, copies, true, {});
  const ConvWeights joining = graph.layers().Pointwise("c1", features, plan.blocks * features);
  FeatureMap x = first, sum = first;
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const FeatureMap input = x;
    std::vector<FeatureMap> joined;
    for (int s = 1; s <= 3; ++s) {
      const std::string step = Block(b) + ".c" + std::to_string(s);
      joined.push_back(pointwise(step + "_d", kept, {x}, gelu));
      x = AddSpatialConv(graph, step + "_r", features, {x}, true,
                         {.end = ConvEnd::kSumGelu, .added = {{x, 1.0f}}});
    }
    joined.push_back(AddSpatialConv(graph, Block(b) + ".c4", kept, {x}, true, gelu));
    x = pointwise(Block(b) + ".c5", features, joined, {});
    x = AddAttention(graph, Block(b) + ".esa", x, {.separable = true, .gelu = true});
    ConvWeights out = graph.layers().Pointwise(Block(b) + ".conv_out", features, features);
    const Values importance = graph.layers().Parameter(Block(b) + ".cw", {1, features});
    if (!importance.defined()) return graph.Finish({});  // which says what is wrong
    // What weighs features before a layer can as well weigh that layer's inputs.
    out.weight = out.weight.Times(importance, 1);
    x = graph.Conv(out, {x}, {.added = {{input, 1.0f}}});
    // What the layer that joins all blocks makes of each is added up, so that none is kept for long.
    ConvWeights share = joining;
    share.weight = joining.weight.Some(1, b * features, features);
    GraphEnd end = b + 1 == plan.blocks ? GraphEnd{.end = ConvEnd::kSumGelu} : GraphEnd{};
    if (b > 0) {
      end.added = {{sum, 1.0f}};
      share.bias = {};
    }
    sum = graph.Conv(share, {x}, end);
  }
  x = AddSpatialConv(graph, "c2", features, {sum}, true, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish(
      {.map = graph.Conv("upsampler.upsampleOneStep.0", shuffled, {x}), .shuffle = plan.scale});
}

class Bsrn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "BSRN"; }
  std::string_view known_by() const override { return "team18_bsrn of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"fea_conv.pw.weight", "B1.c1_r.pw.weight", "B1.cw", "upsampler.upsampleOneStep.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& parts) const override {
    OverlapWithAttention(parts);
    return {};
  }
};

const Bsrn instance;

}  // namespace

extern const GraphArchitecture& kBsrn;
const GraphArchitecture& kBsrn = instance;

}  // namespace imgmill
