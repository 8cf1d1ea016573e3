// RGT (Chen et al., "Recursive Generalization Transformer for Image Super-Resolution", 2024): blocks that
// attend by turns among pixels of rectangular windows and, from each pixel, to a small map of the whole
// image, made by halving it twice, and twice again. Weights: DAT's names, layers.0.blocks.0.attn.get_v,
// layers.0.blocks.1.attn.reduction1, layers.0.blocks.0.gamma.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/rectangle_attention.h"
#include "torch/architectures/spatial_gate.h"
#include "torch/architectures/transformer_frame.h"

namespace imgmill {
namespace {

/// Each reduction makes one pixel of squares of four. There are two at least, which take 16 pixels a side.
constexpr int64_t kStep = 4;
constexpr int64_t kLeastSide = kStep * kStep;

struct Plan {
  FramePlan frame;
  RectangleSides sides;
  int64_t half_heads = 1, wide = 0;
  std::vector<int> depths;
};

std::string Block(size_t group, int number) {
  return GroupName(group) + ".blocks." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* heads = weights.Find(Block(0, 0) + ".attn.attns.0.pos.pos3.2.weight");
  const WeightTensor* wide = weights.Find(Block(0, 0) + ".mlp.fc1.weight");
  if (heads == nullptr || wide == nullptr || weights.Find(Block(0, 0) + ".gamma") == nullptr ||
      weights.Find(Block(0, 0) + ".attn.get_v.weight") == nullptr || !ReadFrame(weights, plan.frame) ||
      plan.frame.tail != TailKind::kShuffle)
    return false;
  plan.sides = ReadRectangle(weights, Block(0, 0) + ".attn");
  plan.half_heads = heads->dim(0);
  plan.wide = wide->dim(0);
  plan.depths = DepthsOf(weights, [](size_t g, int b) { return Block(g, b) + ".norm1.weight"; });
  plan.frame.least = kLeastSide;
  return plan.sides.height > 0 && plan.half_heads > 0 && plan.frame.features % 2 == 0 && !plan.depths.empty();
}

/// How often the image is reduced: until its longer side is below 64, or twice.
int Reductions(int64_t height, int64_t width) {
  int times = 0;
  for (int64_t side = std::max(height, width) / kLeastSide; side >= kStep; side /= kStep) ++times;
  return std::max(times, 2);
}

/// Attention from each pixel to a small map of the image.
struct MapAttention {
  int64_t heads = 1;
  Convolution reduction, depthwise, narrow, around;
  LayerNorm norm;
  Linear q, k, v;

  MapAttention(Layers& layers, const std::string& name, int64_t features, int64_t number_of_heads)
      : heads(number_of_heads) {
    const int64_t few = layers.Outputs(name + ".conv.weight");
    const bool bias = layers.Has(name + ".q.bias");
    reduction = layers.Conv(name + ".reduction1", features, features,
                            {.side = kStep, .stride = kStep, .groups = features, .padding = 0});
    depthwise = layers.Conv(name + ".dwconv", features, features, {.groups = features});
    narrow = layers.Conv(name + ".conv", few, features, 1);
    norm = layers.Norm(name + ".norm_act.0", few);
    q = layers.Dense(name + ".q", few, features, bias);
    k = layers.Dense(name + ".k", few, few, bias);
    v = layers.Dense(name + ".v", features, few, bias);
    around = layers.Conv(name + ".cpe", features, features, {.groups = features});
  }

  /// Of a normalized image.
  torch::Tensor operator()(const torch::Tensor& image) const {
    torch::Tensor map = Planes(image);
    for (int i = Reductions(image.size(1), image.size(2)); i > 0; --i) map = reduction(map);
    map = torch::gelu(norm(Pixels(narrow(depthwise(map)))));
    torch::Tensor values = v(map);
    values = values + Pixels(around(Planes(values)));
    const auto split = [&](const torch::Tensor& x) {
      return x.unflatten(2, {heads, x.size(2) / heads}).transpose(1, 2);
    };
    const torch::Tensor keys = split(k(map).flatten(1, 2)).transpose(2, 3);
    const torch::Tensor values_of_heads = split(values.flatten(1, 2));
    const double scale = 1 / std::sqrt(static_cast<double>(keys.size(2)));
    const torch::Tensor pixels = image.flatten(1, 2);
    torch::Tensor output = torch::empty_like(image);
    const torch::Tensor outputs = output.flatten(1, 2);
    const int64_t step = PixelsAtOnce(pixels.size(0), keys.size(3), heads);
    for (int64_t from = 0; from < pixels.size(1); from += step) {
      const int64_t count = std::min(step, pixels.size(1) - from);
      const torch::Tensor queries = split(q(pixels.narrow(1, from, count))) * scale;
      const torch::Tensor weights = torch::softmax(torch::matmul(queries, keys), 3);
      outputs.narrow(1, from, count)
          .copy_(torch::matmul(weights, values_of_heads).transpose(1, 2).flatten(2));
    }
    return output;
  }

  /// So many that there are no more logits than of pixels in windows.
  static int64_t PixelsAtOnce(int64_t images, int64_t keys, int64_t heads) {
    constexpr int64_t kLogits = int64_t{4} << 20;
    return std::clamp<int64_t>(kLogits / (images * keys * heads), 64, kPixelsAtOnce);
  }
};

/// Of a group's attention to the map. An odd number leaves its windows half of one less.
int64_t MapHeads(const Layers& layers, size_t group, int64_t features) {
  const int64_t half = layers.Outputs(Block(group, 0) + ".attn.attns.0.pos.pos3.2.weight");
  return half < 1 || features % (2 * half) == 0 ? 2 * half : 2 * half + 1;
}

class RgtBlock {
 public:
  RgtBlock(Layers& layers, const Plan& plan, size_t group, int number) {
    const std::string name = Block(group, number);
    const int64_t features = plan.frame.features;
    norm1_ = layers.Norm(name + ".norm1", features);
    norm2_ = layers.Norm(name + ".norm2", features);
    if (number % 2 == 0) {
      windows_.emplace_back(layers, name + ".attn", features, plan.sides, RectangleMoves(group, number));
      beside_ = layers.Conv(name + ".attn.get_v", features, features, {.groups = features});
    } else {
      maps_.emplace_back(layers, name + ".attn", features, MapHeads(layers, group, features));
    }
    out_ = PackedLinear(layers.Dense(name + ".attn.proj", features, features));
    gate_ = SpatialGate(layers, name + ".mlp", features);
    share_ = layers.Parameter(name + ".gamma", {features});
  }

  void operator()(torch::Tensor& image) const {
    const torch::Tensor before = image.clone();
    AddLinear(image, out_, Attended(image));
    gate_.AddTo(image, norm2_);
    image.addcmul_(before, share_);
  }

 private:
  torch::Tensor Attended(const torch::Tensor& image) const {
    const torch::Tensor normal = norm1_(image);
    if (!maps_.empty()) return maps_[0](normal);
    torch::Tensor values;
    torch::Tensor attended = windows_[0](normal, values);
    return attended.add_(beside_(Planes(values)).permute({0, 2, 3, 1}));
  }

  LayerNorm norm1_, norm2_;
  std::vector<RectangleAttention> windows_;  ///< one, or one of the other
  std::vector<MapAttention> maps_;
  Convolution beside_;
  PackedLinear out_;
  SpatialGate gate_;
  torch::Tensor share_;
};

class RgtNet final : public GroupedNet<RgtBlock> {
 public:
  RgtNet(const Plan& plan, Layers& layers)
      : GroupedNet(plan.frame, layers, plan.depths,
                   [&](size_t g, int b) { return RgtBlock(layers, plan, g, b); }) {
    for (const char* ending : {".attn_mask_0", ".attn_mask_1", ".rpe_biases", ".relative_position_index"})
      layers.PassOverAll(ending);
  }
};

class RgtArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "RGT"; }
  std::string_view known_by() const override { return "RGT, RGT-S"; }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.blocks.0.attn.attns.0.rpe_biases", "layers.0.blocks.0.attn.get_v.weight",
             "layers.0.blocks.0.gamma", "conv_before_upsample.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    FrameTraits traits;
    traits.radius = -1;  // each pixel attends to a map of the whole image
    traits.grid = std::max(plan.sides.longer(), kLeastSide);
    const int64_t features = plan.frame.features;
    traits.per_pixel = 5 * features + RectangleFloats(features);
    traits.at_once = [plan, features](int64_t height, int64_t columns) {
      return RectangleFloatsAtOnce(plan.sides, height, columns, features, plan.half_heads) +
             PixelsInRows(columns, 1) * (3 * plan.wide + features);
    };
    UpscaleNetworkParts parts = FrameParts(plan.frame, std::move(info), std::move(traits));
    return LoadLayers<RgtNet>(plan, std::move(parts), std::move(weights));
  }
};

const RgtArchitecture instance;

}  // namespace

extern const Architecture& kRgt;
const Architecture& kRgt = instance;

}  // namespace imgmill
