// FDAT (stinkybread, "Fast Dual Aggregation Transformer", 2025): blocks that attend by turns among pixels of
// windows and among channels over the whole image, each beside a depthwise convolution, of which one weighs
// the other, and feed-forward layers with a depthwise convolution inside. Weights: conv_first (conv_first.1
// where squares of pixels become channels first), groups.0.blocks.0.attn.bias, groups.0.blocks.1.attn.temp,
// groups.0.blocks.0.inter.cg.1, upsampler.MetaUpsample, which says how features become an image.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/channel_attention.h"
#include "torch/architectures/image_bands.h"
#include "torch/architectures/packed_linear.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/transformer_frame.h"
#include "torch/architectures/uni_upsample.h"
#include "torch/architectures/window_attention.h"

namespace imgmill {
namespace {

struct Plan {
  std::string first = "conv_first";
  int64_t bands = 3, features = 0;
  int64_t unshuffle = 1;  ///< side of the squares of pixels that become channels first
  int64_t window = 0, heads = 1, wide = 0;
  std::vector<int> depths;
  UniUpsampleShape up;

  int64_t scale() const { return up.scale / unshuffle; }
};

std::string Group(size_t number) {
  return "groups." + std::to_string(number);
}
std::string Block(size_t group, int number) {
  return Group(group) + ".blocks." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv_first.weight");
  if (first == nullptr) {
    first = weights.Find("conv_first.1.weight");
    plan.first = "conv_first.1";
  }
  const WeightTensor* bias = weights.Find(Block(0, 0) + ".attn.bias");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".ffn.fc1.weight");
  if (first == nullptr || bias == nullptr || wide == nullptr ||
      weights.Find(Block(0, 0) + ".inter.cg.1.weight") == nullptr)
    return false;
  plan.features = first->dim(0);
  if (!ReadUniUpsample(weights, "upsampler", plan.features, plan.up)) return false;
  plan.bands = plan.up.bands;
  while (plan.unshuffle < 4 && plan.bands * plan.unshuffle * plan.unshuffle != first->dim(1))
    ++plan.unshuffle;
  plan.heads = bias->dim(0);
  for (plan.window = 1; plan.window < 64 && plan.window * plan.window != bias->dim(1);) ++plan.window;
  plan.wide = wide->dim(0);
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".n1.weight"; });
  if (plan.up.kind == UniUpsampleKind::kDySample && plan.up.middle % plan.up.groups != 0) return false;
  return (plan.bands == 1 || plan.bands == 3) && plan.window < 64 && plan.heads > 0 && plan.features > 0 &&
         plan.features % plan.heads == 0 && plan.scale() > 0 && plan.up.scale % plan.unshuffle == 0;
}

/// Among the pixels of windows, whose biases are in the file as they are added. An image that is no whole
/// number of windows is continued by zeros, to which pixels attend, too.
class BiasedWindows {
 public:
  BiasedWindows() = default;
  BiasedWindows(Layers& layers, const std::string& name, const Plan& plan)
      : window_{.height = plan.window, .width = plan.window}, heads_(plan.heads) {
    const int64_t features = plan.features, pixels = window_.pixels();
    qkv_ = layers.Dense(name + ".qkv", 3 * features, features, layers.Has(name + ".qkv.bias"));
    bias_ = layers.Parameter(name + ".bias", {heads_, pixels, pixels});
    out_ = PackedLinear(layers.Dense(name + ".proj", features, features));
  }
  torch::Tensor operator()(const torch::Tensor& image) const {
    const int64_t height = image.size(1), width = image.size(2), side = window_.height;
    const int64_t below = (side - height % side) % side, right = (side - width % side) % side;
    const std::array<int64_t, 6> sides = {0, 0, 0, right, 0, below};
    const torch::Tensor whole = below + right > 0 ? torch::constant_pad_nd(image, sides) : image;
    return ForWindows(whole, window_, bias_,
                      [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                        const torch::Tensor qkv = SplitHeads(qkv_(windows), 3, heads_);
                        return out_(Attend(qkv[0], qkv[1], qkv[2], bias));
                      })
        .slice(1, 0, height)
        .slice(2, 0, width);
  }

 private:
  WindowShape window_;
  int64_t heads_ = 1;
  EvenLinear qkv_;
  PackedLinear out_;
  torch::Tensor bias_;
};

class FdatBlock {
 public:
  FdatBlock(Layers& layers, const std::string& name, const Plan& plan)
      : by_windows_(layers.Has(name + ".attn.bias")) {
    const int64_t features = plan.features;
    norm1_ = layers.Norm(name + ".n1", features);
    norm2_ = layers.Norm(name + ".n2", features);
    if (by_windows_) {
      windows_ = BiasedWindows(layers, name + ".attn", plan);
    } else {
      channels_ = ChannelSelfAttention(layers, name + ".attn", features, "temp");
      out_ = PackedLinear(layers.Dense(name + ".attn.proj", features, features));
    }
    const ConvShape plain = {.side = 1, .bias = false};
    depthwise_ = layers.Conv(name + ".conv.0", features, features, {.groups = features, .bias = false});
    // Both are in each block, and one of them is used.
    const std::string inter = name + ".inter.";
    const int64_t few = layers.Outputs(inter + "cg.1.weight");
    of_pixels_ = layers.Conv(inter + "sg.0", 1, features, plain);
    narrow_ = layers.Conv(inter + "cg.1", few, features, plain);
    widen_ = layers.Conv(inter + "cg.3", features, few, plain);
    wide_ = layers.Dense(name + ".ffn.fc1", plan.wide, features, false);
    mix_ = layers.Conv(name + ".ffn.smix", plan.wide, plan.wide, {.groups = plan.wide, .bias = false});
    thin_ = layers.Dense(name + ".ffn.fc2", features, plan.wide, false);
  }

  void operator()(torch::Tensor& image) const {
    image.add_(Fused(image));
    AddInRows(image, 1, [&](const torch::Tensor& x) {
      const torch::Tensor inner = torch::gelu(wide_(norm2_(x)));
      return thin_(mix_(Planes(inner)).permute({0, 2, 3, 1}));
    });
  }

 private:
  torch::Tensor Fused(const torch::Tensor& image) const {
    const torch::Tensor normal = norm1_(image);
    torch::Tensor attended;
    if (by_windows_) {
      attended = windows_(normal);
    } else {
      torch::Tensor values;
      attended = out_(channels_(normal, values));
    }
    torch::Tensor convolved = torch::gelu(depthwise_(Planes(normal)));
    // Windows are weighed by channel, as the convolution's means say; the convolution by pixel, as channels
    // say.
    if (by_windows_) {
      const torch::Tensor gate = widen_(torch::gelu(narrow_(convolved.mean({2, 3}, true)))).sigmoid_();
      return attended.mul_(gate.permute({0, 2, 3, 1})).add_(convolved.permute({0, 2, 3, 1}));
    }
    convolved.mul_(of_pixels_(Planes(attended)).sigmoid_());
    return attended.add_(convolved.permute({0, 2, 3, 1}));
  }

  bool by_windows_;
  LayerNorm norm1_, norm2_;
  BiasedWindows windows_;
  ChannelSelfAttention channels_;
  PackedLinear out_;
  EvenLinear wide_, thin_;
  Convolution depthwise_, of_pixels_, narrow_, widen_, mix_;
};

class FdatNet final : public UpscaleNet {
 public:
  FdatNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const int64_t features = plan.features;
    const ConvShape plain = {.bias = false};
    first_ = layers.Conv(plan.first, features, plan.bands * plan.unshuffle * plan.unshuffle);
    for (size_t g = 0; g < plan.depths.size(); ++g) {
      GroupLayers& group = groups_.emplace_back();
      for (int b = 0; b < plan.depths[g]; ++b) group.blocks.emplace_back(layers, Block(g, b), plan);
      group.conv = layers.Conv(Group(g) + ".conv", features, features, plain);
    }
    after_ = layers.Conv("conv_after", features, features, plain);
    up_ = UniUpsample(layers, "upsampler", plan.up);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * plan_.scale(), width = input.size(3) * plan_.scale();
    torch::Tensor x = PaddedToMultiple(input, plan_.unshuffle);
    x = Pixels(first_(plan_.unshuffle > 1 ? torch::pixel_unshuffle(x, plan_.unshuffle) : x));
    {
      torch::Tensor y = x.clone();
      for (const GroupLayers& group : groups_) {
        torch::Tensor inner = y.clone();
        for (const FdatBlock& block : group.blocks) block(inner);
        Planes(y).add_(group.conv(Planes(inner)));
      }
      Planes(x).add_(after_(Planes(y)));
    }
    return up_(Planes(x)).slice(2, 0, height).slice(3, 0, width);
  }

 private:
  struct GroupLayers {
    std::vector<FdatBlock> blocks;
    Convolution conv;
  };
  Plan plan_;
  Convolution first_, after_;
  std::vector<GroupLayers> groups_;
  UniUpsample up_;
};

class Fdat final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "FDAT"; }
  std::string_view known_by() const override { return "FDAT tiny, light, medium, large, XL"; }
  std::vector<Telltales> telltales() const override {
    return {{"groups.0.blocks.0.attn.bias", "groups.0.blocks.0.inter.cg.1.weight",
             "groups.0.blocks.0.ffn.fc1.weight", "upsampler.MetaUpsample"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = static_cast<int>(plan.scale());
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = -1;  // channels attend to each other over the whole image
    info.tile_grid = static_cast<int>(plan.window * plan.unshuffle);
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    parts.bytes = [plan](int height, int width) {
      const auto whole = [&](int64_t side) {
        const int64_t squares = (side + plan.unshuffle - 1) / plan.unshuffle;
        return (squares + plan.window - 1) / plan.window * plan.window;
      };
      const int64_t rows = whole(height), columns = whole(width), pixels = rows * columns;
      const WindowShape window = {.height = plan.window, .width = plan.window};
      // The first features, a group's, a block's and those normalized, what attention shows and gives, and
      // what the convolution gives.
      const int64_t body = 8 * plan.features * pixels +
                           std::max(WindowFloats(window, columns, plan.features, plan.heads, window.pixels()),
                                    PixelsInRows(columns, 1) * (3 * plan.wide + plan.features));
      const int64_t tail = plan.features * pixels + plan.bands * pixels * plan.up.scale * plan.up.scale +
                           UniUpsample::Floats(plan.up, rows, columns);
      return static_cast<size_t>(std::max(body, tail)) * sizeof(float);
    };
    return LoadLayers<FdatNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 256;
  static constexpr int kOverlap = 32;
};

const Fdat instance;

}  // namespace

extern const Architecture& kFdat;
const Architecture& kFdat = instance;

}  // namespace imgmill
