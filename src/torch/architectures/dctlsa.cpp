// DCTLSA (Zeng et al., "Densely Connected Transformer With Linear Self-Attention for Lightweight Image
// Super-Resolution", 2023): six bodies, each of which sees what all before it gave. In windows of 16 pixels,
// every second time moved by half of one, keys and values are summed up before queries ask for them.
//
// Weights: fea_conv, B1.body.0.transformer_body.0.blocks.0.attn.local, c1.0, c.0, LR_conv, upsampler.0. The
// number of heads leaves no trace in the shapes: the authors' networks have 5.
#include <algorithm>
#include <cmath>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/swin_block.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

constexpr int64_t kHeads = 5, kWindow = 16;
constexpr int kBodies = 6;
constexpr double kSlope = 0.05, kNormEpsilon = 1e-5;

struct Plan {
  int64_t bands = 3, features = 0;
  int scale = 0;
};

std::string Body(int number) {
  std::string name = "B";
  name += std::to_string(number);
  return name + ".body.";
}

std::string DenseName(int number) {
  std::string name = "c";
  name += std::to_string(number);
  return name + ".0";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("fea_conv.weight");
  const WeightTensor* last = weights.Find("upsampler.0.weight");
  if (first == nullptr || last == nullptr || weights.Find("c.0.weight") == nullptr ||
      weights.Find(Body(1) + "0.transformer_body.0.blocks.0.attn.local.depthwise_conv.weight") == nullptr)
    return false;
  plan.bands = first->dim(1);
  plan.features = first->dim(0);
  plan.scale = ShuffleScale(last->dim(0), plan.bands);
  return (plan.bands == 1 || plan.bands == 3) && plan.scale > 0 && plan.features > 0 &&
         plan.features % kHeads == 0;
}

/// `conv` of 1x1 without a bias, behind the batch normalization `norm`, which is folded in.
PackedLinear NormPixel(Layers& layers, const std::string& norm, const std::string& conv, int64_t features) {
  Linear layer{layers.Parameter(conv + ".weight", {features, features, 1, 1}), {}};
  const torch::Tensor weight = layers.Parameter(norm + ".weight", {features});
  const torch::Tensor bias = layers.Parameter(norm + ".bias", {features});
  const torch::Tensor mean = layers.Parameter(norm + ".running_mean", {features});
  const torch::Tensor variance = layers.Parameter(norm + ".running_var", {features});
  layers.PassOver(norm + ".num_batches_tracked");
  if (!variance.defined()) return {};
  const c10::ScalarType type = weight.scalar_type();
  const auto wide = [](const torch::Tensor& x) { return x.to(torch::kFloat64); };
  const torch::Tensor factor = wide(weight) / (wide(variance) + kNormEpsilon).sqrt();
  const torch::Tensor plain = wide(layer.weight).flatten(1);
  layer.weight = (plain * factor).to(type);
  layer.bias = torch::mv(plain, wide(bias) - wide(mean) * factor).to(type);
  return PackedLinear(layer);
}

/// NAME.attn and NAME.mlp.
class LinearBlock {
 public:
  LinearBlock(Layers& layers, const std::string& name, int64_t features, bool moved)
      : shift_(moved ? kWindow / 2 : 0), mlp_(layers, name + ".mlp", features) {
    const std::string attention = name + ".attn", local = attention + ".local";
    before_ = NormPixel(layers, local + ".pointwise_prenorm_0", local + ".pointwise_conv_0", features);
    around_ = layers.ConvNorm(local + ".depthwise_conv", local + ".pointwise_prenorm_1", features, features,
                              {.groups = features}, kNormEpsilon);
    after_ = Pixel(layers, local + ".pointwise_conv_1", features);
    qkv_ = PackedLinear(
        layers.Dense(attention + ".qkv", 3 * features, features, layers.Has(attention + ".qkv.bias")));
    out_ = PackedLinear(layers.Dense(attention + ".proj", features, features));
  }

  /// Changes the image, N x H x W x C.
  void operator()(torch::Tensor& image) const {
    if (shift_ > 0) image = image.roll({-shift_, -shift_}, {1, 2});
    image.add_(after_(Pixels(around_(Planes(before_(image))))));
    // What leaves the image at one end is seen at the other: nothing is masked.
    image = ForWindows(image, {.height = kWindow, .width = kWindow}, {},
                       [&](const torch::Tensor& windows, const torch::Tensor&) {
                         const torch::Tensor qkv = SplitHeads(qkv_(windows), 3, kHeads);
                         const double scale = 1 / std::sqrt(static_cast<double>(qkv.size(4)));
                         const torch::Tensor sums =
                             torch::matmul(torch::softmax(qkv[1], 2).transpose(2, 3), qkv[2]);
                         const torch::Tensor found = torch::matmul(qkv[0] * scale, sums);
                         return out_(found.transpose(1, 2).flatten(2)).add_(windows);
                       });
    if (shift_ > 0) image = image.roll({shift_, shift_}, {1, 2});
    AddPerPixel(image, [&](const torch::Tensor& x) { return mlp_(x); });
  }

 private:
  static PackedLinear Pixel(Layers& layers, const std::string& name, int64_t features) {
    torch::Tensor weight = layers.Parameter(name + ".weight", {features, features, 1, 1});
    return PackedLinear({weight.defined() ? weight.flatten(1) : weight, {}});
  }

  int64_t shift_;
  PackedLinear before_, after_, qkv_, out_;
  Convolution around_;
  PixelMlp mlp_;
};

/// NAME.patch_embed.norm and NAME.blocks, of an image that is continued to whole windows.
class WindowBody {
 public:
  WindowBody(Layers& layers, const std::string& name, int64_t features)
      : norm_(layers.Norm(name + ".patch_embed.norm", features)) {
    for (const bool moved : {false, true})
      blocks_.emplace_back(layers, name + ".blocks." + (moved ? "1" : "0"), features, moved);
  }
  torch::Tensor operator()(const torch::Tensor& x) const {
    torch::Tensor image = norm_(Pixels(PaddedToMultiple(x, kWindow)));
    for (const LinearBlock& block : blocks_) block(image);
    return Planes(image).slice(2, 0, x.size(2)).slice(3, 0, x.size(3));
  }

 private:
  LayerNorm norm_;
  std::vector<LinearBlock> blocks_;
};

class DctlsaNet final : public UpscaleNet {
 public:
  DctlsaNet(const Plan& plan, Layers& layers) : scale_(plan.scale) {
    const int64_t features = plan.features;
    first_ = layers.Conv("fea_conv", features, plan.bands);
    for (int i = 1; i <= kBodies; ++i) {
      for (const char* half : {"0", "1"})
        bodies_.emplace_back(layers, Body(i) + half + ".transformer_body.0", features);
      if (i < kBodies) dense_.push_back(layers.Conv(DenseName(i), features, (i + 1) * features, 1));
    }
    together_ = layers.Conv("c.0", features, kBodies * features, 1);
    after_ = layers.Conv("LR_conv", features, features);
    last_ = layers.Conv("upsampler.0", plan.bands * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * scale_, width = input.size(3) * scale_;
    std::vector<torch::Tensor> seen = {first_(Continued(input, kWindow, kWindow))};
    torch::Tensor x = seen[0];
    for (size_t i = 0; i < kBodies; ++i) {
      if (i > 0) x = Leaky(dense_[i - 1](torch::cat(seen, 1)));
      seen.push_back(bodies_[2 * i + 1](bodies_[2 * i](x)));
    }
    const torch::Tensor first = seen[0];
    seen.erase(seen.begin());
    x = Leaky(together_(torch::cat(seen, 1)));
    seen.clear();
    x = torch::pixel_shuffle(last_(after_(x).add_(first)), scale_);
    return x.slice(2, 0, height).slice(3, 0, width);
  }

 private:
  static torch::Tensor Leaky(torch::Tensor x) { return torch::leaky_relu_(x, kSlope); }

  int64_t scale_;
  Convolution first_, together_, after_, last_;
  std::vector<WindowBody> bodies_;  ///< two for each of B1 to B6
  std::vector<Convolution> dense_;
};

class DctlsaArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DCTLSA"; }
  std::string_view known_by() const override { return "DCTLSA_X2, DCTLSA_X3, DCTLSA_X4"; }

  std::vector<Telltales> telltales() const override {
    return {{"fea_conv.weight", "B1.body.0.transformer_body.0.blocks.0.attn.local.depthwise_conv.weight",
             "c.0.weight", "LR_conv.weight", "upsampler.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = -1;  // windows at one end of the image see the other
    info.tile_grid = kWindow;
    info.assumed = std::to_string(kHeads) + " heads";
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    parts.bytes = [plan](int height, int width) { return Bytes(plan, height, width); };
    return LoadLayers<DctlsaNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 256;
  static constexpr int kOverlap = 32;

  static size_t Bytes(const Plan& plan, int64_t height, int64_t width) {
    const int64_t rows = ToMultiple(height, kWindow), columns = ToMultiple(width, kWindow);
    // What all bodies gave, with this put together once more, or what the last one holds.
    const int64_t each =
        (2 * (kBodies + 1) + 3) * plan.features + plan.bands * (2 + 2 * plan.scale * plan.scale);
    const int64_t windows = std::max(WindowFloats({.height = kWindow, .width = kWindow}, columns,
                                                  plan.features, kHeads, 2 * plan.features),
                                     kPixelsAtOnce * 6 * plan.features);
    return static_cast<size_t>(each * rows * columns + windows) * sizeof(float);
  }
};

const DctlsaArchitecture instance;

}  // namespace

extern const Architecture& kDctlsa;
const Architecture& kDctlsa = instance;

}  // namespace imgmill
