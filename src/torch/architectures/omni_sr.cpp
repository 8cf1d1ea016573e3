// OmniSR (Wang et al., "Omni Aggregation Networks for Lightweight Image Super-Resolution", 2023): blocks of a
// convolution with channel weights, attention among pixels and among channels of windows, and both again
// among pixels that lie a window's share of the image apart, which span all of it. Weights:
// residual_layer.0.residual_layer.0.layer.2.fn.to_qkv, residual_layer.0.esa.conv1, up.0.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/omni_sr_layers.h"

namespace imgmill {
namespace {

using namespace omni_sr;

/// The mask of a group pools squares of 7 of every second pixel: what is smaller has none.
constexpr int64_t kLeastSide = 16;

struct Plan {
  Sizes sizes;
  int64_t bands = 3;
  int scale = 0, groups = 0, blocks = 0;
};

std::string Group(int number) {
  return "residual_layer." + std::to_string(number);
}
std::string Part(int group, int number) {
  return Group(group) + ".residual_layer." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("input.weight");
  const WeightTensor* last = weights.Find("up.0.weight");
  const WeightTensor* table = weights.Find(Part(0, 0) + ".layer.2.fn.rel_pos_bias.weight");
  if (first == nullptr || last == nullptr || weights.Find(Part(0, 0) + ".layer.0.fn.0.weight") == nullptr)
    return false;
  plan.sizes.features = first->dim(0);
  plan.bands = first->dim(1);
  plan.scale = ShuffleScale(last->dim(0), plan.bands);
  // Without positions the window leaves no trace: all published networks have 8.
  plan.sizes.window = table == nullptr ? 8 : WindowOfTable(table->dim(0));
  plan.groups = CountOf(weights, 0, [](int i) { return Group(i) + ".esa.conv1.weight"; });
  plan.blocks = CountOf(weights, 0, [](int i) { return Part(0, i) + ".layer.0.fn.0.weight"; });
  return (plan.bands == 1 || plan.bands == 3) && plan.scale > 0 && plan.sizes.window > 0 &&
         plan.sizes.features % plan.sizes.heads == 0;
}

/// Pixels that lie a window's share apart, side by side: windows of them are windows of the result.
torch::Tensor Gathered(const torch::Tensor& image, int64_t rows, int64_t columns) {
  return image.unflatten(1, {rows, image.size(1) / rows})
      .unflatten(3, {columns, image.size(2) / columns})
      .permute({0, 2, 1, 4, 3, 5})
      .reshape(image.sizes());
}

struct Block {
  WeighedConv conv;
  std::array<PixelAttention, 2> pixels;
  std::array<ChannelAttention, 2> channels;
  std::array<GatedConv, 4> gates;
  Block(Layers& layers, const std::string& name, const Plan& plan)
      : conv(layers, name + ".layer.0", plan.sizes.features),
        pixels{PixelAttention(layers, name + ".layer.2", plan.sizes),
               PixelAttention(layers, name + ".layer.8", plan.sizes)},
        channels{ChannelAttention(layers, name + ".layer.5", plan.sizes),
                 ChannelAttention(layers, name + ".layer.11", plan.sizes)},
        gates{GatedConv(layers, name + ".layer.4", plan.sizes.features),
              GatedConv(layers, name + ".layer.6", plan.sizes.features),
              GatedConv(layers, name + ".layer.10", plan.sizes.features),
              GatedConv(layers, name + ".layer.12", plan.sizes.features)} {}

  void operator()(torch::Tensor& image) const {
    const int64_t window = channels[0].window;
    conv.AddTo(image);
    pixels[0].AddTo(image);
    gates[0].AddTo(image);
    channels[0].AddTo(image, false);
    gates[1].AddTo(image);
    image = Gathered(image, window, window);
    pixels[1].AddTo(image);
    image = Gathered(image, image.size(1) / window, image.size(2) / window);
    gates[2].AddTo(image);
    channels[1].AddTo(image, true);
    gates[3].AddTo(image);
  }
};

class OmniSrNet final : public UpscaleNet {
 public:
  OmniSrNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const int64_t features = plan.sizes.features;
    layers.PassOverAll("total_ops");  // what counts operations leaves
    layers.PassOverAll("total_params");
    const bool bias = layers.Has("input.bias");
    first_ = layers.Conv("input", features, plan.bands, {.bias = bias});
    for (int g = 0; g < plan.groups; ++g) {
      std::vector<Block> blocks;
      for (int b = 0; b < plan.blocks; ++b) blocks.emplace_back(layers, Part(g, b), plan);
      groups_.push_back({std::move(blocks),
                         layers.Conv(Part(g, plan.blocks), features, features, {.side = 1, .bias = bias}),
                         SpatialMask(layers, Group(g) + ".esa", features)});
    }
    last_ = layers.Conv("output", features, features, {.bias = bias});
    shuffled_ = layers.Conv("up.0", plan.bands * plan.scale * plan.scale, features, {.bias = bias});
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2), width = input.size(3), scale = plan_.scale;
    const torch::Tensor first = Pixels(first_(Padded(input)));
    torch::Tensor x = first.clone();
    for (const Residual& group : groups_) {
      torch::Tensor inner = x.clone();
      for (const Block& block : group.blocks) block(inner);
      Planes(x).add_(group.conv(Planes(inner)));
      inner.reset();
      Planes(x).mul_(group.mask(Planes(x)));
    }
    const torch::Tensor y = last_(Planes(x)).add_(Planes(first));
    return torch::pixel_shuffle(shuffled_(y), scale).slice(2, 0, height * scale).slice(3, 0, width * scale);
  }

 private:
  struct Residual {
    std::vector<Block> blocks;
    Convolution conv;
    SpatialMask mask;
  };

  /// Black below and to the right, up to whole windows, as the authors do; before it what is too small for
  /// the masks is mirrored.
  torch::Tensor Padded(const torch::Tensor& x) const {
    const auto too_few = [](int64_t side) { return std::max<int64_t>(0, kLeastSide - side); };
    return BlackToMultiple(Mirrored(x, too_few(x.size(2)), too_few(x.size(3))), plan_.sizes.window);
  }

  Plan plan_;
  Convolution first_, last_, shuffled_;
  std::vector<Residual> groups_;
};

class OmniSrArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "OmniSR"; }
  std::string_view known_by() const override { return "OmniSR x2, x3, x4"; }
  std::vector<Telltales> telltales() const override {
    return {{"residual_layer.0.residual_layer.0.layer.0.fn.0.weight", "residual_layer.0.esa.conv1.weight",
             "up.0.weight", "input.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = -1;  // its attention spans the image
    info.tile_grid = static_cast<int>(plan.sizes.window);
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    parts.bytes = [plan](int height, int width) {
      const auto padded = [&](int64_t side) {
        return (std::max(side, kLeastSide) + plan.sizes.window - 1) / plan.sizes.window * plan.sizes.window;
      };
      const int64_t columns = padded(width), pixels = padded(height) * columns;
      const WindowShape shape = {.height = plan.sizes.window, .width = plan.sizes.window};
      const int64_t large = plan.bands * plan.scale * plan.scale;
      const int64_t floats =
          pixels * std::max(11 * plan.sizes.features, 3 * plan.sizes.features + 2 * large) +
          WindowFloats(shape, columns, plan.sizes.features, plan.sizes.heads, shape.pixels()) +
          PixelsInRows(columns, 1) * 8 * plan.sizes.features;
      return static_cast<size_t>(floats) * sizeof(float);
    };
    return LoadLayers<OmniSrNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 256;
  static constexpr int kOverlap = 32;
};

const OmniSrArchitecture instance;

}  // namespace

extern const Architecture& kOmniSr;
const Architecture& kOmniSr = instance;

}  // namespace imgmill
