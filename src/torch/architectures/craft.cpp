// CRAFT (Li et al., "Feature Modulation Transformer: Cross-Refinement of Global Representation via
// High-Frequency Prior for Image Super-Resolution", 2023): in each block attention in flat and in upright
// rectangles, a branch for high frequencies beside it, and attention among channels by which these are asked
// for what the others found.
//
// Weights: conv_first, layers.0.residual_group.srwa_blocks.0.qkv, .hfer_blocks.0.conv,
// .hf_blocks.0.attn.temperature, layers.0.conv, norm.body, conv_after_body, upsample.0. The rectangles follow
// from relative_position_index_h and biases_v, which hold nothing that their shapes do not tell.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/craft_layers.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of DIV2K
constexpr int64_t kMultiple = 16;  ///< of the sides that an image is continued to

using Plan = CraftShape;

std::string Group(size_t number) {
  return "layers." + std::to_string(number) + ".residual_group";
}

std::string Part(size_t group, const char* part, int number) {
  return Group(group) + "." + part + "." + std::to_string(number);
}

/// The sides whose product and whose number of offsets these are.
bool ReadRectangle(int64_t pixels, int64_t offsets, Plan& plan) {
  for (plan.low = 1; plan.low * plan.low <= pixels; ++plan.low) {
    plan.wide = pixels / plan.low;
    if (plan.low * plan.wide == pixels && (2 * plan.low - 1) * (2 * plan.wide - 1) == offsets) return true;
  }
  return false;
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv_first.weight");
  const WeightTensor* last = weights.Find("upsample.0.weight");
  const WeightTensor* factor = weights.Find(Part(0, "hf_blocks", 0) + ".attn.temperature");
  const WeightTensor* wide = weights.Find(Part(0, "hf_blocks", 0) + ".ffn.project_in.weight");
  const WeightTensor* index = weights.Find("relative_position_index_h");
  const WeightTensor* offsets = weights.Find("biases_v");
  if (first == nullptr || last == nullptr || factor == nullptr || wide == nullptr || index == nullptr ||
      offsets == nullptr || !ReadRectangle(index->dim(0), offsets->dim(0), plan))
    return false;
  plan.bands = first->dim(1);
  plan.features = first->dim(0);
  plan.heads = factor->dim(0);
  plan.inner = wide->dim(0) / 2;
  plan.scale = ShuffleScale(last->dim(0), plan.bands);
  plan.qkv_bias = weights.Find(Part(0, "srwa_blocks", 0) + ".qkv.bias") != nullptr;
  while (true) {
    const size_t group = plan.depths.size();
    const int depth =
        CountOf(weights, 0, [&](int i) { return Part(group, "hf_blocks", i) + ".attn.temperature"; });
    if (depth == 0) break;
    plan.depths.push_back(depth);
  }
  return (plan.bands == 1 || plan.bands == 3) && plan.scale > 0 && plan.heads > 0 && plan.heads % 2 == 0 &&
         plan.features % plan.heads == 0 && kMultiple % plan.low == 0 && kMultiple % plan.wide == 0;
}

/// What a side is continued by: the authors add a whole window where none is missing.
int64_t Missing(int64_t side) {
  return kMultiple - side % kMultiple;
}

/// An image too small to be mirrored that far is continued to a window first.
int64_t LeastSide(int64_t height, int64_t width) {
  return Missing(height) > height || Missing(width) > width ? kMultiple : 1;
}

class CraftNet final : public UpscaleNet {
 public:
  CraftNet(const Plan& plan, Layers& layers) : scale_(plan.scale), bands_(plan.bands) {
    const int64_t features = plan.features;
    for (const char* side : {"_h", "_v"}) {
      layers.PassOver(std::string("relative_position_index") + side);
      layers.PassOver(std::string("biases") + side);
    }
    first_ = layers.Conv("conv_first", features, plan.bands);
    for (size_t g = 0; g < plan.depths.size(); ++g) {
      GroupLayers& group = groups_.emplace_back();
      for (int b = 0; b < plan.depths[g]; ++b) {
        for (const bool shifted : {false, true})
          group.far.emplace_back(layers, Part(g, "srwa_blocks", 2 * b + (shifted ? 1 : 0)), plan, shifted);
        group.fine.emplace_back(layers, Part(g, "hfer_blocks", b), features);
        group.fusing.emplace_back(layers, Part(g, "hf_blocks", b), plan);
      }
      group.conv = layers.Conv("layers." + std::to_string(g) + ".conv", features, features);
    }
    norm_ = layers.Norm("norm.body", features);
    has_after_ = layers.Has("conv_after_body.weight");
    if (has_after_) after_ = layers.Conv("conv_after_body", features, features);
    last_ = layers.Conv("upsample.0", plan.bands * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * scale_, width = input.size(3) * scale_;
    torch::Tensor mean;
    const int64_t least = LeastSide(input.size(2), input.size(3));
    input = Continued(input, least, least);
    input = Mirrored(input, Missing(input.size(2)), Missing(input.size(3)), /*repeats_edge=*/true);
    if (bands_ == 3) {
      mean = torch::tensor({kMean[0], kMean[1], kMean[2]}, input.options()).view({1, 3, 1, 1});
      input = input - mean;
    }
    const torch::Tensor first = first_(input);
    torch::Tensor x = first;
    for (const GroupLayers& group : groups_) x = group.conv(Body(group, x)).add_(x);
    x = NormalizedPixels(norm_, x);
    if (has_after_) x = after_(x);
    x = torch::pixel_shuffle(last_(x + first), scale_);
    if (mean.defined()) x.add_(mean);
    return x.slice(2, 0, height).slice(3, 0, width);
  }

 private:
  struct GroupLayers {
    std::vector<CraftRectangles> far;  ///< two for each of the others
    std::vector<CraftFineBlock> fine;
    std::vector<CraftFusingBlock> fusing;
    Convolution conv;
  };

  static torch::Tensor Body(const GroupLayers& group, torch::Tensor x) {
    for (size_t b = 0; b < group.fine.size(); ++b) {
      torch::Tensor far = x.permute({0, 2, 3, 1}).clone(torch::MemoryFormat::Contiguous);
      group.far[2 * b](far);
      group.far[2 * b + 1](far);
      x = group.fusing[b](Planes(far), group.fine[b](x));
    }
    return x;
  }

  int64_t scale_, bands_;
  Convolution first_, after_, last_;
  bool has_after_ = false;
  LayerNorm norm_;
  std::vector<GroupLayers> groups_;
};

/// At its peak, for one image.
size_t Bytes(const Plan& plan, int64_t height, int64_t width) {
  const int64_t least = LeastSide(height, width);
  const auto padded = [&](int64_t side) { return std::max(side, least) + Missing(std::max(side, least)); };
  const int64_t rows = padded(height), columns = padded(width);
  const int64_t features = plan.features, pixels = plan.low * plan.wide;
  // The first features, a group's and a block's input; attention's parts, one half of them twice, and what
  // comes of them; or both branches, with queries, keys and values in two forms, or the layers behind them.
  const int64_t each = 3 * features + std::max(12 * features, 4 * features + 5 * plan.inner);
  const int64_t windows =
      std::max(WindowFloats({.height = plan.wide, .width = plan.low}, columns, features, plan.heads, pixels),
               kPixelsAtOnce * 6 * features);
  const int64_t ends = plan.bands * (3 + 3 * plan.scale * plan.scale);
  return static_cast<size_t>((each + ends) * rows * columns + windows) * sizeof(float);
}

class CraftArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "CRAFT"; }
  std::string_view known_by() const override { return "CRAFT_MODEL_x2, CRAFT_MODEL_x4"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_first.weight", "layers.0.residual_group.hf_blocks.0.attn.temperature",
             "relative_position_index_h", "biases_v", "upsample.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = -1;  // channels attend to each other over the image
    info.tile_grid = kMultiple;
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    parts.bytes = [plan](int height, int width) { return Bytes(plan, height, width); };
    return LoadLayers<CraftNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 256;
  static constexpr int kOverlap = 32;
};

const CraftArchitecture instance;

}  // namespace

extern const Architecture& kCraft;
const Architecture& kCraft = instance;

}  // namespace imgmill
