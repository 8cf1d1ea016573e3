// DAT (Chen et al., "Dual Aggregation Transformer for Image Super-Resolution", 2023): blocks that attend by
// turns among pixels of rectangular windows and among channels over the whole image, each beside a depthwise
// convolution, and feed-forward layers with a gate that sees neighbours. Weights: before_RG.1,
// layers.0.blocks.0.attn.qkv, layers.0.blocks.1.attn.temperature, layers.0.blocks.0.ffn.sg.conv.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/channel_attention.h"
#include "torch/architectures/rectangle_attention.h"
#include "torch/architectures/spatial_gate.h"
#include "torch/architectures/transformer_frame.h"

namespace imgmill {
namespace {

struct Plan {
  FramePlan frame;
  RectangleSides sides;
  int64_t heads = 1, wide = 0;
  std::vector<int> depths;
};

std::string Block(size_t group, int number) {
  return GroupName(group) + ".blocks." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* heads = weights.Find(Block(0, 0) + ".attn.attns.0.pos.pos3.2.weight");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".ffn.fc1.weight");
  if (heads == nullptr || wide == nullptr ||
      weights.Find(Block(0, 0) + ".attn.spatial_interaction.0.weight") == nullptr ||
      !ReadFrame(weights, plan.frame))
    return false;
  plan.sides = ReadRectangle(weights, Block(0, 0) + ".attn");
  plan.heads = heads->dim(0);
  plan.wide = wide->dim(0);
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".norm1.weight"; });
  return plan.sides.height > 0 && plan.heads > 0 && plan.frame.features % 2 == 0 && !plan.depths.empty();
}

/// What attention and convolution tell each other: a weight for each channel from the means of one, and one
/// for each pixel from the channels of the other.
struct Interaction {
  Convolution depthwise, channel_narrow, channel_wide, pixel_narrow, pixel_one;
  Interaction(Layers& layers, const std::string& name, int64_t features) {
    depthwise =
        layers.ConvNorm(name + ".dwconv.0", name + ".dwconv.1", features, features, {.groups = features});
    const std::string channel = name + ".channel_interaction.", pixel = name + ".spatial_interaction.";
    const int64_t few = layers.Outputs(channel + "1.weight"), fewer = layers.Outputs(pixel + "0.weight");
    channel_narrow = layers.ConvNorm(channel + "1", channel + "2", few, features, {.side = 1});
    channel_wide = layers.Conv(channel + "4", features, few, 1);
    pixel_narrow = layers.ConvNorm(pixel + "0", pixel + "1", fewer, features, {.side = 1});
    pixel_one = layers.Conv(pixel + "3", 1, fewer, 1);
  }
  torch::Tensor Convolved(const torch::Tensor& values) const { return torch::gelu(depthwise(values)); }
  torch::Tensor OfChannels(const torch::Tensor& x) const {
    return torch::sigmoid(channel_wide(torch::gelu(channel_narrow(x.mean({2, 3}, true)))));
  }
  torch::Tensor OfPixels(const torch::Tensor& x) const {
    return torch::sigmoid(pixel_one(torch::gelu(pixel_narrow(x))));
  }
};

class DatBlock {
 public:
  DatBlock(Layers& layers, const Plan& plan, size_t group, int number)
      : interaction_(layers, Block(group, number) + ".attn", plan.frame.features) {
    const std::string name = Block(group, number);
    const int64_t features = plan.frame.features;
    norm1_ = layers.Norm(name + ".norm1", features);
    norm2_ = layers.Norm(name + ".norm2", features);
    if (number % 2 == 0) {
      windows_.emplace_back(layers, name + ".attn", features, plan.sides, RectangleMoves(group, number));
    } else {
      channels_ = ChannelSelfAttention(layers, name + ".attn", features, "temperature");
    }
    out_ = PackedLinear(layers.Dense(name + ".attn.proj", features, features));
    gate_ = SpatialGate(layers, name + ".ffn", features);
  }

  void operator()(torch::Tensor& image) const {
    AddLinear(image, out_, Mixed(image));
    gate_.AddTo(image, norm2_);
  }

 private:
  torch::Tensor Mixed(const torch::Tensor& image) const {
    torch::Tensor values, attended;
    {
      const torch::Tensor normal = norm1_(image);
      attended = windows_.empty() ? channels_(normal, values) : windows_[0](normal, values);
    }
    torch::Tensor convolved = Pixels(interaction_.Convolved(Planes(values)));
    values.reset();
    // Windows are weighed by channel, as the convolution's means say; channels by pixel.
    const bool by_channel = !windows_.empty();
    torch::Tensor& means = by_channel ? convolved : attended;
    torch::Tensor& pixels = by_channel ? attended : convolved;
    const torch::Tensor channel_weights = interaction_.OfChannels(Planes(means)).permute({0, 2, 3, 1});
    const torch::Tensor pixel_weights = interaction_.OfPixels(Planes(pixels)).permute({0, 2, 3, 1});
    return pixels.mul_(channel_weights).add_(means.mul_(pixel_weights));
  }

  LayerNorm norm1_, norm2_;
  std::vector<RectangleAttention> windows_;  ///< one, or none
  ChannelSelfAttention channels_;
  Interaction interaction_;
  PackedLinear out_;
  SpatialGate gate_;
};

class DatNet final : public GroupedNet<DatBlock> {
 public:
  DatNet(const Plan& plan, Layers& layers)
      : GroupedNet(plan.frame, layers, plan.depths,
                   [&](size_t g, int b) { return DatBlock(layers, plan, g, b); }) {
    for (const char* ending : {".attn_mask_0", ".attn_mask_1", ".rpe_biases", ".relative_position_index"})
      layers.PassOverAll(ending);
  }
};

class DatArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "DAT"; }
  std::string_view known_by() const override { return "DAT, DAT-S, DAT-2, DAT-light"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.blocks.0.attn.attns.0.rpe_biases",
             "layers.0.blocks.0.attn.spatial_interaction.0.weight", "layers.0.blocks.0.ffn.sg.conv.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    FrameTraits traits;
    traits.radius = -1;  // channels attend to each other over the whole image
    traits.grid = plan.sides.longer();
    const int64_t features = plan.frame.features;
    traits.per_pixel = 4 * features + RectangleFloats(features);
    traits.at_once = [plan, features](int64_t height, int64_t columns) {
      return RectangleFloatsAtOnce(plan.sides, height, columns, features, plan.heads) +
             PixelsInRows(columns, 1) * (3 * plan.wide + features);
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<DatNet>(plan, std::move(parts), std::move(weights));
  }
};

const DatArchitecture instance;

}  // namespace

extern const Architecture& kDat;
const Architecture& kDat = instance;

}  // namespace imgmill
