// HAT (Chen et al., "Activating More Pixels in Image Super-Resolution Transformer", 2023): SwinIR's blocks
// with two convolutions and channel attention beside the window attention, and after each group one in which
// windows attend to larger ones around them. Weights: SwinIR's names, and
// layers.0.residual_group.blocks.0.conv_block.cab.0, layers.0.residual_group.overlap_attn.qkv.
#include <algorithm>
#include <cmath>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/packed_linear.h"
#include "torch/architectures/swin_block.h"
#include "torch/architectures/transformer_frame.h"

namespace imgmill {
namespace {

/// Of what the convolutions beside the attention add. It leaves no trace in the weights; all published ones
/// were trained with this.
constexpr double kConvShare = 0.01;

struct Plan {
  FramePlan frame;
  int64_t window = 0, heads = 1, mlp = 0;
  int64_t around = 0;  ///< side of the larger windows
  std::vector<int> depths;
};

std::string Block(size_t group, int number) {
  return GroupName(group) + ".residual_group.blocks." + std::to_string(number);
}
std::string Overlap(size_t group) {
  return GroupName(group) + ".residual_group.overlap_attn";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* table = weights.Find(Block(0, 0) + ".attn.relative_position_bias_table");
  const WeightTensor* around = weights.Find(Overlap(0) + ".relative_position_bias_table");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".mlp.fc1.weight");
  if (table == nullptr || around == nullptr || wide == nullptr ||
      weights.Find(Block(0, 0) + ".conv_block.cab.0.weight") == nullptr || !ReadFrame(weights, plan.frame))
    return false;
  plan.window = WindowOfTable(table->dim(0));
  plan.heads = table->dim(1);
  plan.mlp = wide->dim(0);
  // One row for each offset, of (window + around - 1) squared.
  const double offsets = std::sqrt(static_cast<double>(around->dim(0)));
  plan.around = static_cast<int64_t>(std::lround(offsets)) - plan.window + 1;
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".norm1.weight"; });
  plan.frame.multiple = plan.window;
  return plan.window > 0 && plan.heads > 0 && plan.around >= plan.window &&
         (plan.around - plan.window) % 2 == 0 && !plan.depths.empty();
}

/// The table's row for each pixel of a window and each of the larger one around it. The offsets do not begin
/// at 0: as the authors have it, rows below 0 count from the table's end.
torch::Tensor AroundIndex(int64_t window, int64_t around, c10::Device device) {
  const auto options = torch::TensorOptions(device).dtype(torch::kInt64);
  const torch::Tensor offset = torch::arange(around, options).unsqueeze(0) -
                               torch::arange(window, options).unsqueeze(1) + (window - around + 1);
  const int64_t side = window + around - 1;
  const torch::Tensor rows = offset.view({window, 1, around, 1}) * side + offset.view({1, window, 1, around});
  return rows.reshape({window * window, around * around}).remainder(side * side);
}

/// Two convolutions, and channels weighed by what the image's mean of each says.
struct ConvBranch {
  Convolution narrow, wide, squeeze, excite;
  ConvBranch(Layers& layers, const std::string& name, int64_t features) {
    const int64_t inner = layers.Outputs(name + ".0.weight");
    const int64_t squeezed = layers.Outputs(name + ".3.attention.1.weight");
    narrow = layers.Conv(name + ".0", inner, features);
    wide = layers.Conv(name + ".2", features, inner);
    squeeze = layers.Conv(name + ".3.attention.1", squeezed, features, 1);
    excite = layers.Conv(name + ".3.attention.3", features, squeezed, 1);
  }
  torch::Tensor operator()(const torch::Tensor& x) const {
    const torch::Tensor y = wide(torch::gelu(narrow(x)));
    return y * torch::sigmoid(excite(torch::relu(squeeze(y.mean({2, 3}, true))))).mul_(kConvShare);
  }
};

class HybridBlock {
 public:
  HybridBlock(Layers& layers, const std::string& name, int64_t features, const WindowShape& window)
      : window_(window),
        norm1_(layers.Norm(name + ".norm1", features)),
        norm2_(layers.Norm(name + ".norm2", features)),
        attention_(layers, name + ".attn", features, window.height),
        conv_(layers, name + ".conv_block.cab", features),
        mlp_(layers, name + ".mlp", features) {}

  void operator()(torch::Tensor& image) const {
    const torch::Tensor normal = norm1_(image);
    image.add_(attention_(normal, window_));
    Planes(image).add_(conv_(Planes(normal)));
    AddPerPixel(image, [&](const torch::Tensor& x) { return mlp_(norm2_(x)); });
  }

 private:
  WindowShape window_;
  LayerNorm norm1_, norm2_;
  WindowSelfAttention attention_;
  ConvBranch conv_;
  PixelMlp mlp_;
};

/// Queries of a window, keys and values of the larger one around it; beyond the image they are 0.
class OverlapBlock {
 public:
  OverlapBlock(Layers& layers, const std::string& name, const Plan& plan)
      : window_(plan.window), around_(plan.around) {
    const int64_t features = plan.frame.features, side = window_ + around_ - 1;
    const std::string table = name + ".relative_position_bias_table";
    heads_ = layers.Side(table, 1);
    table_ = layers.Parameter(table, {side * side, heads_});
    norm1_ = layers.Norm(name + ".norm1", features);
    norm2_ = layers.Norm(name + ".norm2", features);
    qkv_ = layers.Dense(name + ".qkv", 3 * features, features, layers.Has(name + ".qkv.bias"));
    out_ = PackedLinear(layers.Dense(name + ".proj", features, features));
    mlp_ = PixelMlp(layers, name + ".mlp", features);
  }

  void operator()(torch::Tensor& image) const {
    const torch::Tensor bias = RelativeBias(table_, AroundIndex(window_, around_, image.device()));
    const torch::Tensor keys = KeysAndValues(image);
    const int64_t n = image.size(0), features = image.size(3);
    for (int64_t top = 0; top < image.size(1); top += window_) {
      const torch::Tensor band = image.narrow(1, top, window_);
      const torch::Tensor windows = norm1_(ToWindows(band, window_, window_));
      const torch::Tensor q = SplitHeads(Part(0, features)(windows), 1, heads_)[0];
      const torch::Tensor kv = SplitHeads(keys.narrow(1, top, around_)
                                              .unfold(2, around_, window_)
                                              .permute({0, 2, 1, 4, 3})
                                              .reshape({windows.size(0), around_ * around_, 2 * features}),
                                          2, heads_);
      torch::Tensor made = torch::empty({n, window_, image.size(2), features}, image.options());
      FromWindows(out_(Attend(q, kv[0], kv[1], bias)), window_, window_, made);
      band.add_(made);
    }
    AddPerPixel(image, [&](const torch::Tensor& x) { return mlp_(norm2_(x)); });
  }

 private:
  /// Some of the outputs of the joint layer.
  Linear Part(int64_t first, int64_t count) const {
    return {qkv_.weight.narrow(0, first, count),
            qkv_.bias.defined() ? qkv_.bias.narrow(0, first, count) : torch::Tensor()};
  }

  torch::Tensor KeysAndValues(const torch::Tensor& image) const {
    const int64_t features = image.size(3), beyond = (around_ - window_) / 2;
    const Linear layer = Part(features, 2 * features);
    torch::Tensor all =
        torch::zeros({image.size(0), image.size(1) + 2 * beyond, image.size(2) + 2 * beyond, 2 * features},
                     image.options());
    for (int64_t top = 0; top < image.size(1); top += window_) {
      all.narrow(1, top + beyond, window_)
          .narrow(2, beyond, image.size(2))
          .copy_(layer(norm1_(image.narrow(1, top, window_))));
    }
    return all;
  }

  int64_t window_, around_, heads_ = 1;
  torch::Tensor table_;
  LayerNorm norm1_, norm2_;
  Linear qkv_;
  PackedLinear out_;
  PixelMlp mlp_;
};

class HatNet final : public FramedNet {
 public:
  HatNet(const Plan& plan, Layers& layers) : FramedNet(plan.frame, layers) {
    const int64_t features = plan.frame.features;
    layers.PassOver("relative_position_index_SA");
    layers.PassOver("relative_position_index_OCA");
    for (size_t g = 0; g < plan.depths.size(); ++g) {
      std::vector<HybridBlock> blocks;
      for (int b = 0; b < plan.depths[g]; ++b)
        blocks.emplace_back(layers, Block(g, b), features, SwinWindow(plan.window, b));
      groups_.push_back({std::move(blocks), OverlapBlock(layers, Overlap(g), plan),
                         ResidualConv(layers, GroupName(g) + ".conv", features)});
    }
  }

 protected:
  void Blocks(torch::Tensor& image) const override {
    for (const HybridGroup& group : groups_) {
      torch::Tensor inner = image.clone();
      for (const HybridBlock& block : group.blocks) block(inner);
      group.overlap(inner);
      Planes(image).add_(group.conv(Planes(inner)));
    }
  }

 private:
  struct HybridGroup {
    std::vector<HybridBlock> blocks;
    OverlapBlock overlap;
    ResidualConv conv;
  };
  std::vector<HybridGroup> groups_;
};

class HatArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "HAT"; }
  std::string_view known_by() const override { return "HAT, HAT-S, HAT-L, Real_HAT_GAN"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.residual_group.blocks.0.conv_block.cab.0.weight",
             "layers.0.residual_group.overlap_attn.relative_position_bias_table",
             "conv_before_upsample.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    FrameTraits traits;
    traits.radius = -1;  // channels are weighed by their means over the image
    traits.grid = plan.window;
    const int64_t features = plan.frame.features;
    traits.per_pixel = 7 * features;
    traits.at_once = [plan, features](int64_t /*height*/, int64_t columns) {
      const int64_t keys = plan.around * plan.around;
      return std::max(
          WindowFloats(SwinWindow(plan.window, 0), columns, features, plan.heads, plan.window * plan.window),
          std::max(columns / plan.window * keys * (6 * features) + columns * plan.window * plan.heads * keys,
                   kPixelsAtOnce * (2 * plan.mlp + 2 * features)));
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<HatNet>(plan, std::move(parts), std::move(weights));
  }
};

const HatArchitecture instance;

}  // namespace

extern const Architecture& kHat;
const Architecture& kHat = instance;

}  // namespace imgmill
