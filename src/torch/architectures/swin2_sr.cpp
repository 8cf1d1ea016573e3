// Swin2SR (Conde et al., "Swin2SR: SwinV2 Transformer for Compressed Image Super-Resolution and Restoration",
// 2022): SwinIR with blocks of Swin V2: attention by cosines, relative positions from a small network, and
// normalization behind what a residual adds. Weights: SwinIR's names, patch_embed.proj,
// layers.0.residual_group.blocks.0.attn.logit_scale and cpb_mlp; conv_bicubic and conv_aux where an image of
// the input's size is made first (for compressed images).
#include <algorithm>
#include <cmath>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/packed_linear.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/swin_block.h"
#include "torch/architectures/transformer_frame.h"

namespace imgmill {
namespace {

/// What a head's factor of cosines is at most.
constexpr double kMostFactor = 100;
constexpr double kLeastNorm = 1e-12;

struct Plan {
  FramePlan frame;
  int64_t window = 0, heads = 1, mlp = 0;
  std::vector<int> depths;
};

std::string Block(size_t group, int number) {
  return GroupName(group) + ".residual_group.blocks." + std::to_string(number);
}

/// The window leaves no trace in the weights themselves, only in tables that are kept beside them.
int64_t ReadWindow(const StateDict& weights) {
  const WeightTensor* index = weights.Find(Block(0, 0) + ".attn.relative_position_index");
  const WeightTensor* table = weights.Find(Block(0, 0) + ".attn.relative_coords_table");
  if (table != nullptr) return (table->dim(1) + 1) / 2;
  if (index == nullptr) return 0;
  return std::lround(std::sqrt(static_cast<double>(index->dim(0))));
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* factors = weights.Find(Block(0, 0) + ".attn.logit_scale");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".mlp.fc1.weight");
  // pixelshuffle_hf gives three images, and no published weights have it.
  if (factors == nullptr || wide == nullptr ||
      weights.Find(Block(0, 0) + ".attn.cpb_mlp.0.weight") == nullptr ||
      weights.Find("conv_after_body_hf.weight") != nullptr || !ReadFrame(weights, plan.frame))
    return false;
  plan.frame.auxiliary = weights.Find("conv_bicubic.weight") != nullptr;
  plan.window = ReadWindow(weights);
  plan.heads = factors->dim(0);
  plan.mlp = wide->dim(0);
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".norm1.weight"; });
  plan.frame.multiple = plan.window;
  // Only the networks for JPEG artifacts have windows of 7; they also work on 0..255.
  if (plan.window == 7) plan.frame.range = 255;
  return plan.window > 1 && plan.heads > 0 && !plan.depths.empty();
}

class CosineBlock {
 public:
  CosineBlock(Layers& layers, const std::string& name, int64_t features, const WindowShape& window)
      : window_(window), heads_(layers.Outputs(name + ".attn.logit_scale")) {
    const std::string attention = name + ".attn", net = attention + ".cpb_mlp";
    norm1_ = layers.Norm(name + ".norm1", features);
    norm2_ = layers.Norm(name + ".norm2", features);
    factors_ = layers.Parameter(attention + ".logit_scale", {heads_, 1, 1});
    const int64_t inner = layers.Outputs(net + ".0.weight");
    positions_ = layers.Dense(net + ".0", inner, 2);
    positions_out_ = layers.Dense(net + ".2", heads_, inner, false);
    qkv_ = layers.Dense(attention + ".qkv", 3 * features, features, false);
    if (layers.Has(attention + ".q_bias")) {
      // Keys have none.
      const torch::Tensor q = layers.Parameter(attention + ".q_bias", {features});
      const torch::Tensor v = layers.Parameter(attention + ".v_bias", {features});
      if (v.defined()) qkv_.bias = torch::cat({q, torch::zeros_like(q), v});
    }
    out_ = PackedLinear(layers.Dense(attention + ".proj", features, features));
    mlp_ = PixelMlp(layers, name + ".mlp", features);
  }

  void operator()(torch::Tensor& image) const {
    const torch::Tensor factors = factors_.clamp_max(std::log(kMostFactor)).exp();
    image.add_(ForWindows(image, window_, Bias(image.options()),
                          [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                            const torch::Tensor split = SplitHeads(qkv_(windows), 3, heads_);
                            const torch::Tensor q = Normalized(split[0]).mul_(factors);
                            return norm1_(out_(Attend(q, Normalized(split[1]), split[2], bias, 1.0)));
                          }));
    AddPerPixel(image, [&](const torch::Tensor& x) { return norm2_(mlp_(x)); });
  }

 private:
  static torch::Tensor Normalized(const torch::Tensor& x) {
    return x / x.norm(2, {-1}, true).clamp_min_(kLeastNorm);
  }

  /// Offsets as the network sees them: -8 to 8, by their logarithms.
  torch::Tensor Bias(const torch::TensorOptions& options) const {
    const int64_t side = window_.height, offsets = 2 * side - 1;
    torch::Tensor at = torch::arange(1 - side, side, options) * (8.0 / static_cast<double>(side - 1));
    at = at.sign() * (at.abs() + 1).log2() / std::log2(8.0);
    const std::vector<int64_t> shape = {offsets, offsets};
    const torch::Tensor pairs =
        torch::stack({at.unsqueeze(1).expand(shape), at.unsqueeze(0).expand(shape)}, 2).view({-1, 2});
    const torch::Tensor table = positions_out_(torch::relu(positions_(pairs)));
    return RelativeBias(table, RelativeIndex(side, side, table.device())).sigmoid_().mul_(16);
  }

  WindowShape window_;
  int64_t heads_;
  LayerNorm norm1_, norm2_;
  torch::Tensor factors_;
  EvenLinear positions_, positions_out_, qkv_;
  PackedLinear out_;
  PixelMlp mlp_;
};

/// NAME.proj: a 1x1 convolution of features.
Convolution Embedding(Layers& layers, const std::string& name, int64_t features) {
  return layers.Conv(name + ".proj", features, features, 1);
}

class Swin2SrNet final : public FramedNet {
 public:
  Swin2SrNet(const Plan& plan, Layers& layers) : FramedNet(plan.frame, layers) {
    const int64_t features = plan.frame.features;
    for (const char* ending : {".attn_mask", ".relative_position_index", ".relative_coords_table"})
      layers.PassOverAll(ending);
    embedding_ = Embedding(layers, "patch_embed", features);
    for (size_t g = 0; g < plan.depths.size(); ++g) {
      Residual& group = groups_.emplace_back();
      for (int b = 0; b < plan.depths[g]; ++b)
        group.blocks.emplace_back(layers, Block(g, b), features, SwinWindow(plan.window, b));
      group.conv = ResidualConv(layers, GroupName(g) + ".conv", features);
      group.embedding = Embedding(layers, GroupName(g) + ".patch_embed", features);
    }
  }

 protected:
  torch::Tensor Embedded(const torch::Tensor& x) const override { return Pixels(embedding_(Planes(x))); }
  void Blocks(torch::Tensor& image) const override {
    for (const Residual& group : groups_) {
      torch::Tensor inner = image.clone();
      for (const CosineBlock& block : group.blocks) block(inner);
      Planes(image).add_(group.embedding(group.conv(Planes(inner))));
    }
  }

 private:
  struct Residual {
    std::vector<CosineBlock> blocks;
    ResidualConv conv;
    Convolution embedding;
  };
  Convolution embedding_;
  std::vector<Residual> groups_;
};

class Swin2SrArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "Swin2SR"; }
  std::string_view known_by() const override { return "Swin2SR_ClassicalSR, Swin2SR_CompressedSR"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.residual_group.blocks.0.attn.logit_scale",
             "layers.0.residual_group.blocks.0.attn.cpb_mlp.0.weight",
             "layers.0.residual_group.blocks.0.attn.relative_position_index"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    // In a block each pixel sees all of its window.
    int64_t radius = kFrameRadius + 2;
    for (const int depth : plan.depths) radius += depth * (plan.window - 1) + 2;
    FrameTraits traits;
    traits.radius = radius;
    traits.grid = plan.window;
    const int64_t features = plan.frame.features;
    traits.per_pixel = 6 * features;
    traits.at_once = [plan, features](int64_t /*height*/, int64_t columns) {
      return std::max(WindowFloats(SwinWindow(plan.window, 0), columns, 2 * features, plan.heads,
                                   plan.window * plan.window),
                      kPixelsAtOnce * (2 * plan.mlp + 2 * features));
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<Swin2SrNet>(plan, std::move(parts), std::move(weights));
  }
};

const Swin2SrArchitecture instance;

}  // namespace

extern const Architecture& kSwin2Sr;
const Architecture& kSwin2Sr = instance;

}  // namespace imgmill
