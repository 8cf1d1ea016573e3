// BSRN (Li et al., "Blueprint Separable Residual Network for Efficient Image Super-Resolution", 2022) in the
// small form that took part in NTIRE 2022: RFDN's blocks with GELU, 3x3 convolutions that are a 1x1 one with
// one of each plane behind it, and after the spatial attention a learned weight for each feature.
//
// Weights: fea_conv.pw and .dw, BN.c1_d, BN.c1_r.pw and .dw, ..., BN.c4, BN.c5, BN.esa.*, BN.cw, BN.conv_out,
// c1, c2, upsampler.upsampleOneStep.0. Those of 1x1 layers are matrices.
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

class BsrnNet final : public UpscaleNet {
 public:
  BsrnNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    const int64_t features = plan.features;
    first_ = SpatialConv(layers, "fea_conv", features, kCopies * plan.bands, true);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      Distillation& block = blocks_.emplace_back();
      for (size_t s = 0; s < block.keep.size(); ++s) {
        const std::string step = Block(b) + ".c" + std::to_string(s + 1);
        block.keep[s] = Pointwise(layers, step + "_d", plan.kept, features, true);
        block.convs[s] = SpatialConv(layers, step + "_r", features, features, true);
      }
      block.last = SpatialConv(layers, Block(b) + ".c4", plan.kept, features, true);
      block.joined = Pointwise(layers, Block(b) + ".c5", features, 4 * plan.kept, true);
      block.attention =
          SpatialAttention(layers, Block(b) + ".esa", features, {.separable = true, .gelu = true});
      block.out = Pointwise(layers, Block(b) + ".conv_out", features, features, true);
      // What weighs features before a layer can as well weigh that layer's inputs.
      const torch::Tensor importance = layers.Parameter(Block(b) + ".cw", {1, features});
      if (importance.defined()) block.out.weight = block.out.weight * importance.view({1, features, 1, 1});
    }
    joined_ = Pointwise(layers, "c1", features, plan.blocks * features, true);
    body_ = SpatialConv(layers, "c2", features, features, true);
    shuffled_ = layers.Conv("upsampler.upsampleOneStep.0", plan.bands * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor first = first_(WithRoomForAttention(input).repeat({1, kCopies, 1, 1}));
    {
      JoinedConv joined(joined_);
      torch::Tensor x = first;
      for (const Distillation& block : blocks_) {
        x = Run(block, x);
        joined.Add(x);
      }
      x.reset();
      first.add_(body_(torch::gelu(joined.Take())));
    }
    return torch::pixel_shuffle(shuffled_(first), scale_)
        .slice(2, 0, input.size(2) * scale_)
        .slice(3, 0, input.size(3) * scale_);
  }

 private:
  struct Distillation {
    std::array<Convolution, 3> keep;
    std::array<SpatialConv, 3> convs;
    SpatialConv last;
    Convolution joined, out;
    SpatialAttention attention;
  };

  static torch::Tensor Run(const Distillation& block, const torch::Tensor& input) {
    JoinedConv joined(block.joined);
    torch::Tensor x = input;
    for (size_t s = 0; s < block.convs.size(); ++s) {
      joined.Add(torch::gelu(block.keep[s](x)));
      x = torch::gelu(block.convs[s](x).add_(x));
    }
    joined.Add(torch::gelu(block.last(x)));
    x.reset();
    return block.out(block.attention(joined.Take())).add_(input);
  }

  int64_t scale_;
  SpatialConv first_, body_;
  Convolution joined_, shuffled_;
  std::vector<Distillation> blocks_;
};

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = static_cast<int>(plan.bands), .least = kLeastForAttention});
  const auto features = static_cast<int>(plan.features), kept = static_cast<int>(plan.kept);
  const GraphEnd gelu = {.end = ConvEnd::kGelu};
  const auto pointwise = [&](const std::string& name, int out, const std::vector<FeatureMap>& from,
                             const GraphEnd& end) {
    int64_t in = 0;
    for (const FeatureMap& map : from) in += map.channels;
    return graph.Conv(Pointwise(graph.layers(), name, out, in, true), from, end);
  };
  const std::vector<FeatureMap> copies(kCopies, graph.input());
  const FeatureMap first = AddSpatialConv(graph, "fea_conv", features, copies, true, {});
  const Convolution joining = Pointwise(graph.layers(), "c1", features, plan.blocks * features, true);
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
    Convolution out = Pointwise(graph.layers(), Block(b) + ".conv_out", features, features, true);
    const torch::Tensor importance = graph.layers().Parameter(Block(b) + ".cw", {1, features});
    if (importance.defined()) out.weight = out.weight * importance.view({1, features, 1, 1});
    x = graph.Conv(out, {x}, {.added = {{input, 1.0f}}});
    // What the layer that joins all blocks makes of each is added up, so that none is kept for long.
    Convolution share = joining;
    if (share.weight.defined()) share.weight = joining.weight.narrow(1, b * features, features);
    GraphEnd end = b + 1 == plan.blocks ? GraphEnd{.end = ConvEnd::kSumGelu} : GraphEnd{};
    if (b > 0) {
      end.added = {{sum, 1.0f}};
      share.bias = torch::Tensor();
    }
    sum = graph.Conv(share, {x}, end);
  }
  x = AddSpatialConv(graph, "c2", features, {sum}, true, {.added = {{first, 1.0f}}});
  const auto shuffled = static_cast<int>(plan.bands) * plan.scale * plan.scale;
  return graph.Finish(
      {.map = graph.Conv("upsampler.upsampleOneStep.0", shuffled, {x}), .shuffle = plan.scale});
}

class BsrnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "BSRN"; }
  std::string_view known_by() const override { return "team18_bsrn of NTIRE 2022"; }

  std::vector<Telltales> telltales() const override {
    return {{"fea_conv.pw.weight", "B1.c1_r.pw.weight", "B1.cw", "upsampler.upsampleOneStep.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    UpscaleNetworkParts parts = PartsWithAttention(std::move(info));
    // First features, the sum over the blocks, a block's input and sum, a step's maps in two orders.
    parts.bytes = BytesOfFloats(9 * plan.features + 2 * plan.bands * plan.scale * plan.scale);
    RunOnKernels(parts, plan, GraphOf);
    return LoadLayers<BsrnNet>(plan, std::move(parts), std::move(weights));
  }
};

const BsrnArchitecture instance;

}  // namespace

extern const Architecture& kBsrn;
const Architecture& kBsrn = instance;

}  // namespace imgmill
