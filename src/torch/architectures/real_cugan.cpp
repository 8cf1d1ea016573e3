// Real-CUGAN (UpCunet, bilibili AI Lab, "Real Cascade U-Nets for Anime Image Super Resolution", 2022): a
// small U-Net that enlarges by two or three, and a deeper one at that size that corrects what the first made.
// Their convolutions are not padded: the image is mirrored outwards first, and each layer takes some of it
// away. What leaves a level of a U-Net is weighed by its mean over the whole image.
//
// Key layouts: unet1.* and unet2.*; with conv_final.* x4, or x2 "fast", which looks at squares of two pixels
// as channels. A tensor "pro" tells that values lie in 0.15 to 0.85.
#include "torch/architectures/real_cugan.h"

#include <algorithm>
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

bool ReadPlan(const StateDict& weights, RealCuganPlan& plan) {
  const WeightTensor* first = weights.Find("unet1.conv1.conv.0.weight");
  const WeightTensor* bottom = weights.Find("unet1.conv_bottom.weight");
  const WeightTensor* last = weights.Find("unet2.conv_bottom.weight");
  if (first == nullptr || bottom == nullptr || last == nullptr ||
      weights.Find("unet2.conv3.seblock.conv1.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1);
  plan.pro = weights.Find("pro") != nullptr;
  const WeightTensor* final_layer = weights.Find("conv_final.weight");
  if (final_layer != nullptr) {
    plan.final_layer = true;
    // A network of 4 bands would look like a fast one of grey; there is none.
    plan.unshuffle = final_layer->dim(0) == plan.bands ? 2 : 1;
    plan.scale = plan.unshuffle > 1 ? 2 : 4;
    if (plan.unshuffle > 1) plan.bands /= 4;
    return (plan.bands == 1 || plan.bands == 3) && final_layer->dim(0) == 4 * plan.bands;
  }
  plan.scale = bottom->dim(2) == 5 ? 3 : 2;
  return (plan.bands == 1 || plan.bands == 3) && last->dim(0) == plan.bands;
}

torch::Tensor Activated(torch::Tensor x) {
  return torch::leaky_relu_(x, kCuganSlope);
}

/// Without so many pixels on each side; shares its memory.
torch::Tensor Inner(const torch::Tensor& x, int64_t margin) {
  return x.slice(2, margin, x.size(2) - margin).slice(3, margin, x.size(3) - margin);
}

/// A convolution that enlarges: each pixel of the input adds a kernel to the output.
class Deconvolution {
 public:
  Deconvolution() = default;
  Deconvolution(Layers& layers, const std::string& name, int64_t out, int64_t in, int64_t side,
                int64_t stride, int64_t padding)
      : weight_(layers.Parameter(name + ".weight", {in, out, side, side})),
        bias_(layers.Parameter(name + ".bias", {out})),
        stride_(stride),
        padding_(padding) {}
  torch::Tensor operator()(const torch::Tensor& x) const {
    return ConvTransposed2d(x, weight_, bias_, stride_, padding_);
  }

 private:
  torch::Tensor weight_, bias_;
  int64_t stride_ = 1, padding_ = 0;
};

/// A level of a U-Net: two convolutions, and weights of the channels by their means.
class Level {
 public:
  Level() = default;
  Level(Layers& layers, const std::string& name, int64_t in, int64_t middle, int64_t out, bool weighed)
      : first_(layers.Conv(name + ".conv.0", middle, in, {.padding = 0})),
        second_(layers.Conv(name + ".conv.2", out, middle, {.padding = 0})),
        weighed_(weighed) {
    if (!weighed) return;
    squeeze_ = layers.Conv(name + ".seblock.conv1", out / kCuganReduction, out, 1);
    excite_ = layers.Conv(name + ".seblock.conv2", out, out / kCuganReduction, 1);
  }
  torch::Tensor operator()(torch::Tensor x) const {
    x = Activated(first_(x));
    x = Activated(second_(x));
    if (!weighed_) return x;
    torch::Tensor gate = squeeze_(x.mean({2, 3}, /*keepdim=*/true)).relu_();
    return x.mul_(excite_(gate).sigmoid_());
  }

 private:
  Convolution first_, second_, squeeze_, excite_;
  bool weighed_ = false;
};

constexpr ConvShape kHalving = {.side = 2, .stride = 2, .padding = 0};

/// The first U-Net, one level deep. It enlarges.
class ShallowUnet {
 public:
  ShallowUnet() = default;
  ShallowUnet(Layers& layers, int64_t in, int64_t out, int64_t scale)
      : top_(layers, "unet1.conv1", in, 32, 64, false),
        down_(layers.Conv("unet1.conv1_down", 64, 64, kHalving)),
        deep_(layers, "unet1.conv2", 64, 128, 64, true),
        up_(layers, "unet1.conv2_up", 64, 64, 2, 2, 0),
        merged_(layers.Conv("unet1.conv3", 64, 64, {.padding = 0})),
        enlarged_(scale == 3 ? Deconvolution(layers, "unet1.conv_bottom", out, 64, 5, 3, 2)
                             : Deconvolution(layers, "unet1.conv_bottom", out, 64, 4, 2, 3)) {}
  torch::Tensor operator()(const torch::Tensor& input) const {
    torch::Tensor top = top_(input);
    torch::Tensor x = up_(deep_(Activated(down_(top))));
    x = Activated(x).add_(Inner(top, 4));
    top.reset();
    return enlarged_(Activated(merged_(x)));
  }

 private:
  Level top_;
  Convolution down_;
  Level deep_;
  Deconvolution up_;
  Convolution merged_;
  Deconvolution enlarged_;
};

/// The second U-Net, two levels deep. It keeps the size, but for its margin.
class DeepUnet {
 public:
  DeepUnet() = default;
  DeepUnet(Layers& layers, int64_t in, int64_t out)
      : top_(layers, "unet2.conv1", in, 32, 64, false),
        down_(layers.Conv("unet2.conv1_down", 64, 64, kHalving)),
        middle_(layers, "unet2.conv2", 64, 64, 128, true),
        deep_down_(layers.Conv("unet2.conv2_down", 128, 128, kHalving)),
        deep_(layers, "unet2.conv3", 128, 256, 128, true),
        deep_up_(layers, "unet2.conv3_up", 128, 128, 2, 2, 0),
        back_(layers, "unet2.conv4", 128, 64, 64, true),
        up_(layers, "unet2.conv4_up", 64, 64, 2, 2, 0),
        merged_(layers.Conv("unet2.conv5", 64, 64, {.padding = 0})),
        last_(layers.Conv("unet2.conv_bottom", out, 64, {.padding = 0})) {}
  torch::Tensor operator()(const torch::Tensor& input) const {
    torch::Tensor top = top_(input);
    torch::Tensor x = Below(Activated(down_(top)));
    x = Activated(up_(x)).add_(Inner(top, 16));
    top.reset();
    x = Activated(merged_(x));
    return last_(x);
  }

 private:
  torch::Tensor Below(const torch::Tensor& halved) const {
    torch::Tensor middle = middle_(halved);
    torch::Tensor x = deep_up_(deep_(Activated(deep_down_(middle))));
    x = Activated(x).add_(Inner(middle, 4));
    middle.reset();
    return back_(x);
  }

  Level top_;
  Convolution down_;
  Level middle_;
  Convolution deep_down_;
  Level deep_;
  Deconvolution deep_up_;
  Level back_;
  Deconvolution up_;
  Convolution merged_, last_;
};

int64_t RoundedUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

class RealCuganNet final : public UpscaleNet {
 public:
  RealCuganNet(const RealCuganPlan& plan, Layers& layers) : plan_(plan) {
    layers.PassOver("pro");
    const int64_t between = plan.final_layer ? kCuganFeatures : plan.bands;
    shallow_ = ShallowUnet(layers, plan.bands * plan.unshuffle * plan.unshuffle, between, plan.inner_scale());
    deep_ = DeepUnet(layers, between, between);
    if (plan.final_layer) final_ = layers.Conv("conv_final", 4 * plan.bands, kCuganFeatures, {.padding = 0});
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2), width = input.size(3), scale = plan_.scale;
    if (plan_.pro) input = (input * kCuganProRange).add_(kCuganProLow);
    // Only the fast network's sides must be multiples before they are mirrored.
    const int64_t before = plan_.unshuffle > 1 ? plan_.multiple() : 1;
    const torch::Tensor image = Continued(input, RoundedUp(std::max(height, plan_.least()), before),
                                          RoundedUp(std::max(width, plan_.least()), before));
    torch::Tensor x = Corrected(Enlarged(image));
    if (plan_.final_layer) x = torch::pixel_shuffle(Inner(final_(x), 1), 2);
    x = x.slice(2, 0, height * scale).slice(3, 0, width * scale);
    if (plan_.final_layer) x = x + torch::upsample_nearest2d(input, {height * scale, width * scale});
    return plan_.pro ? (x - kCuganProLow).div_(kCuganProRange) : x;
  }

 private:
  torch::Tensor Enlarged(const torch::Tensor& image) const {
    const int64_t height = image.size(2), width = image.size(3), padding = plan_.padding();
    const std::array<int64_t, 4> sides = {padding, padding + RoundedUp(width, plan_.multiple()) - width,
                                          padding, padding + RoundedUp(height, plan_.multiple()) - height};
    torch::Tensor x = torch::reflection_pad2d(image, sides);
    if (plan_.unshuffle > 1) x = torch::pixel_unshuffle(x, plan_.unshuffle);
    return shallow_(x.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  torch::Tensor Corrected(const torch::Tensor& enlarged) const {
    return deep_(enlarged).add_(Inner(enlarged, kCuganDeepMargin));
  }

  RealCuganPlan plan_;
  ShallowUnet shallow_;
  DeepUnet deep_;
  Convolution final_;
};

/// At the peak: at the size that the first U-Net enlarges to, the second one's top level as it was and as it
/// comes back from below, what is below, and what is corrected; at the end the output, thrice.
size_t BytesFor(const RealCuganPlan& plan, int64_t height, int64_t width) {
  const auto padded = [&](int64_t side) {
    return (RoundedUp(std::max(side, plan.least()), plan.multiple()) + 2 * plan.padding()) / plan.unshuffle;
  };
  const int64_t area = padded(height) * padded(width);
  const int64_t between = plan.final_layer ? kCuganFeatures : plan.bands;
  const int64_t inner = area * plan.inner_scale() * plan.inner_scale() * (2 * kCuganFeatures + 32 + between);
  const int64_t output = 3 * plan.bands * height * width * plan.scale * plan.scale;
  return static_cast<size_t>(inner + output) * sizeof(float);
}

class RealCugan final : public PlannedArchitecture<RealCuganPlan, ReadPlan> {
 public:
  std::string_view name() const override { return "Real-CUGAN"; }
  std::string_view known_by() const override { return "up2x-latest-conservative, pro-denoise3x-up2x"; }

  std::vector<Telltales> telltales() const override {
    return {{"unet1.conv1.conv.0.weight", "unet1.conv_bottom.weight", "unet2.conv3.seblock.conv1.weight",
             "unet2.conv_bottom.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(RealCuganPlan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = -1;
    info.tile_grid = static_cast<int>(plan.multiple());
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = plan.scale == 2 ? kTile : kLargeScaleTile;
    // But for the means over the tile, this is all that a pixel depends on.
    parts.overlap = static_cast<int>(plan.padding());
    parts.bytes = [plan](int height, int width) { return BytesFor(plan, height, width); };
    RunOnKernels(parts, plan, RealCuganGraph);
    return LoadLayers<RealCuganNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  /// As large as memory allows: the means of a part differ from the whole image's. 0.7 (x4) to 1.0 GiB (x3).
  static constexpr int kTile = 512, kLargeScaleTile = 384;
};

const RealCugan instance;

}  // namespace

extern const Architecture& kRealCugan;
const Architecture& kRealCugan = instance;

}  // namespace imgmill
