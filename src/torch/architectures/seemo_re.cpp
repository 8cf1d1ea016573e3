// SeemoRe (Zamfir et al., "See More Details: Efficient Image Super-Resolution by Experts Mining", 2024):
// blocks of which one looks near, with one of several small experts that a mean over the image chooses, and
// one looks far along rows and columns.
//
// Weights: conv_1, body.0.local_block.block.moe_layer.experts.0.conv_1,
// body.0.global_block.block.attn.conv.0, norm, conv_2, upsampler.0. The shapes tell neither whether channels
// are shuffled nor how often an image is made smaller by four before it is weighed: all of the authors'
// networks shuffle and do it twice, but for the largest.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of DIV2K
constexpr double kEpsilon = 1e-6;
constexpr int64_t kSmaller = 4;
constexpr int64_t kLeast = 16;  ///< side that smaller images are continued to

struct Plan {
  int64_t features = 0, layers = 0, experts = 0;
  int scale = 0;
  int64_t reach = 0;  ///< side of the kernels that look far
  bool shuffles = true;
  int times = 2;  ///< that a map is made smaller
};

std::string Layer(int64_t number) {
  return "body." + std::to_string(number);
}

std::string ExpertName(int64_t layer, int64_t number) {
  return Layer(layer) + ".local_block.block.moe_layer.experts." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv_1.weight");
  const WeightTensor* last = weights.Find("upsampler.0.weight");
  const WeightTensor* far = weights.Find("body.0.global_block.block.attn.conv.0.weight");
  if (first == nullptr || last == nullptr || far == nullptr || first->dim(1) != 3) return false;
  plan.features = first->dim(0);
  plan.reach = far->dim(3);
  plan.scale = ShuffleScale(last->dim(0));
  plan.layers = CountOf(weights, 0, [](int i) { return Layer(i) + ".local_block.norm_1.weight"; });
  plan.experts = CountOf(weights, 0, [](int i) { return ExpertName(0, i) + ".conv_1.weight"; });
  constexpr int64_t kLargeLayers = 16, kLargeFeatures = 48;
  if (plan.layers == kLargeLayers && plan.features == kLargeFeatures) {
    plan.shuffles = false;
    plan.times = 1;
  }
  return plan.scale > 0 && plan.layers > 0 && plan.experts > 0 && plan.reach % 2 == 1;
}

/// NAME.conv.0 along rows and NAME.conv.1 along columns, each channel by itself.
struct Striped {
  Convolution row, column;
  Striped() = default;
  Striped(Layers& layers, const std::string& name, int64_t features, int64_t side)
      : row(layers.Conv(name + ".conv.0", features, features,
                        {.side = 1, .width = side, .groups = features})),
        column(layers.Conv(name + ".conv.1", features, features,
                           {.side = side, .width = 1, .groups = features})) {}
  torch::Tensor operator()(const torch::Tensor& x) const { return column(row(x)); }
};

/// A layer and its activation.
torch::Tensor Gelu(torch::Tensor x) {
  return torch::gelu_(x);
}

/// NAME.fn_1.0, halves of which one is weighed by the other's neighbourhood (NAME.gate), NAME.fn_2.0.
class GatedLayers {
 public:
  GatedLayers() = default;
  GatedLayers(Layers& layers, const std::string& name, int64_t features)
      : wide_(layers.Conv(name + ".fn_1.0", 2 * features, features, 1)),
        gate_(layers.Conv(name + ".gate", features, features, {.groups = features})),
        last_(layers.Conv(name + ".fn_2.0", features, features, 1)) {}
  torch::Tensor operator()(const torch::Tensor& x) const {
    const std::vector<torch::Tensor> halves = Gelu(wide_(x)).chunk(2, 1);
    return Gelu(last_(gate_(halves[1]).mul_(halves[0])));
  }

 private:
  Convolution wide_, gate_, last_;
};

/// NAME.block: the near one. One expert is asked for each image, the one that NAME.moe_layer.gate likes best.
class NearBlock {
 public:
  NearBlock(Layers& layers, const std::string& name, const Plan& plan)
      : shuffles_(plan.shuffles), times_(plan.times) {
    const int64_t features = plan.features;
    first_ = layers.Conv(name + ".conv_1.0", features, features);
    both_ = layers.Conv(name + ".conv_1.2", 2 * features, features, 1);
    smaller_ = layers.Conv(name + ".agg_conv.0", features, features,
                           {.side = kSmaller, .stride = kSmaller, .groups = features, .padding = 0});
    depthwise_ = layers.Conv(name + ".conv.0", features, features, {.groups = features});
    across_ = layers.Conv(name + ".conv.1", features, features, 1);
    striped_ = Striped(layers, name + ".conv_2.0", features, 3);
    chooser_ = layers.Dense(name + ".moe_layer.gate.body.2", plan.experts, features, /*bias=*/false);
    for (int64_t e = 0; e < plan.experts; ++e) {
      const std::string expert = name + ".moe_layer.experts." + std::to_string(e);
      const int64_t few = layers.Outputs(expert + ".conv_1.weight");
      experts_.push_back({layers.Conv(expert + ".conv_1", few, features, 1),
                          layers.Conv(expert + ".conv_2", few, features, 1),
                          layers.Conv(expert + ".conv_3", features, few, 1)});
    }
    last_ = layers.Conv(name + ".proj", features, features, 1);
  }

  torch::Tensor operator()(const torch::Tensor& input) const {
    torch::Tensor both = both_(Gelu(first_(input)));
    // Of channels 0, 1, 2, ... of both halves, one after the other.
    if (shuffles_) both = both.unflatten(1, {2, -1}).transpose(1, 2).flatten(1, 2);
    const std::vector<torch::Tensor> halves = both.chunk(2, 1);
    const torch::Tensor x = Gelu(striped_(halves[0]));
    return last_(Asked(x, Weighed(halves[1])));
  }

 private:
  struct Expert {
    Convolution seen, weighed, out;
  };

  /// `x` and what is seen of it at a small size.
  torch::Tensor Weighed(const torch::Tensor& x) const {
    torch::Tensor small = x;
    for (int i = 0; i < times_; ++i) small = Gelu(smaller_(small));
    small = across_(depthwise_(small));
    return EnlargedBilinear(small, x.size(2), x.size(3)).add_(x);
  }

  torch::Tensor Asked(const torch::Tensor& x, const torch::Tensor& weighed) const {
    const torch::Tensor shares = torch::softmax(chooser_(x.mean({2, 3})), 1);
    const auto [share, best] = shares.max(1);
    torch::Tensor output = x.clone();
    for (int64_t n = 0; n < x.size(0); ++n) {
      const Expert& expert = experts_[static_cast<size_t>(best[n].item<int64_t>())];
      const torch::Tensor seen = expert.seen(x.narrow(0, n, 1)).mul_(expert.weighed(weighed.narrow(0, n, 1)));
      output.narrow(0, n, 1).add_(expert.out(seen).mul_(share[n]));
    }
    return output;
  }

  bool shuffles_;
  int times_;
  Convolution first_, both_, smaller_, depthwise_, across_, last_;
  Striped striped_;
  Linear chooser_;
  std::vector<Expert> experts_;
};

/// NAME.block: the far one.
class FarBlock {
 public:
  FarBlock(Layers& layers, const std::string& name, const Plan& plan)
      : both_(layers.Conv(name + ".to_qv.0", 2 * plan.features, plan.features, 1)),
        last_(layers.Conv(name + ".proj", plan.features, plan.features, 1)),
        striped_(layers, name + ".attn", plan.features, plan.reach) {}
  torch::Tensor operator()(const torch::Tensor& x) const {
    const std::vector<torch::Tensor> halves = Gelu(both_(x)).chunk(2, 1);
    return last_(striped_(halves[0]).mul_(halves[1]));
  }

 private:
  Convolution both_, last_;
  Striped striped_;
};

/// NAME.norm_1, NAME.block, NAME.norm_2, NAME.ffn.
template <typename Block>
class NormedBlock {
 public:
  NormedBlock(Layers& layers, const std::string& name, const Plan& plan)
      : norm1_(layers.Norm(name + ".norm_1", plan.features, kEpsilon)),
        norm2_(layers.Norm(name + ".norm_2", plan.features, kEpsilon)),
        block_(layers, name + ".block", plan),
        inner_(layers, name + ".ffn", plan.features) {}
  torch::Tensor operator()(const torch::Tensor& input) const {
    const torch::Tensor x = block_(NormalizedPixels(norm1_, input)).add_(input);
    return inner_(NormalizedPixels(norm2_, x)).add_(x);
  }

 private:
  LayerNorm norm1_, norm2_;
  Block block_;
  GatedLayers inner_;
};

class SeemoReNet final : public UpscaleNet {
 public:
  SeemoReNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    first_ = layers.Conv("conv_1", plan.features, 3);
    for (int64_t i = 0; i < plan.layers; ++i) {
      near_.emplace_back(layers, Layer(i) + ".local_block", plan);
      far_.emplace_back(layers, Layer(i) + ".global_block", plan);
    }
    norm_ = layers.Norm("norm", plan.features, kEpsilon);
    after_ = layers.Conv("conv_2", plan.features, plan.features);
    last_ = layers.Conv("upsampler.0", 3 * plan.scale * plan.scale, plan.features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * scale_, width = input.size(3) * scale_;
    const torch::Tensor mean =
        torch::tensor({kMean[0], kMean[1], kMean[2]}, input.options()).view({1, 3, 1, 1});
    const torch::Tensor first = first_(Continued(input, kLeast, kLeast) - mean);
    torch::Tensor x = first;
    for (size_t i = 0; i < near_.size(); ++i) x = far_[i](near_[i](x));
    x = last_(after_(NormalizedPixels(norm_, x)).add_(first));
    return torch::pixel_shuffle(x, scale_).add_(mean).slice(2, 0, height).slice(3, 0, width);
  }

 private:
  int64_t scale_;
  Convolution first_, after_, last_;
  LayerNorm norm_;
  std::vector<NormedBlock<NearBlock>> near_;
  std::vector<NormedBlock<FarBlock>> far_;
};

class SeemoReArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SeemoRe"; }
  std::string_view known_by() const override { return "SeemoRe_T_X4, SeemoRe_B_X4, SeemoRe_L_X4"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_1.weight", "body.0.local_block.block.moe_layer.experts.0.conv_1.weight",
             "body.0.global_block.block.attn.conv.0.weight", "norm.weight", "upsampler.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.receptive_radius = -1;  // a mean over the image chooses the expert
    info.tile_grid = kLeast;
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    // The first features, a block's input, that normalized, both halves in two orders, what is weighed, and
    // what the expert makes of it; or the channels of all output pixels, thrice.
    const int64_t floats = std::max(11 * plan.features, 3 * plan.features + 9 * plan.scale * plan.scale) + 6;
    parts.bytes = [floats](int height, int width) {
      return static_cast<size_t>(floats * std::max<int64_t>(height, kLeast) *
                                 std::max<int64_t>(width, kLeast)) *
             sizeof(float);
    };
    return LoadLayers<SeemoReNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
  static constexpr int kOverlap = 64;
};

const SeemoReArchitecture instance;

}  // namespace

extern const Architecture& kSeemoRe;
const Architecture& kSeemoRe = instance;

}  // namespace imgmill
