// ConvNeXt (Liu et al., "A ConvNet for the 2020s", 2022): 7x7 convolutions of each band by itself, and
// perceptrons over the bands. The vector is the normalized average over the image, before the classifier.
// Sizes from Tiny to XLarge, and smaller ones of the same layout.
//
// Layouts: timm's (stem.0, stages.0.blocks.0.conv_dw), torchvision's (features.0.0, features.1.0.block.0),
// Meta's (downsample_layers.0.0, stages.0.0.dwconv). How weights were tested they do not say: taken are the
// shorter side and the filter that each library gives for ConvNeXt-Tiny.
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/packed_linear.h"

namespace imgmill {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr size_t kStages = 4;

struct Layout {
  std::string_view first;  ///< a tensor of no other network
  /// Between stages: the normalization, then the convolution; %d is the stage.
  std::string_view stem_conv, stem_norm, down_norm, down_conv;
  std::string_view block;  ///< %d the stage, %e the block
  std::string_view filter, norm, up, down, scale;
  std::string_view after, classifier;
  int stage_step = 1, stage_first = 0, down_first = 0;
  int shorter = 0;
  ResizeFilter resize = ResizeFilter::kCubic;
};

constexpr Layout kTimm = {.first = "stages.0.blocks.0.conv_dw.weight",
                          .stem_conv = "stem.0",
                          .stem_norm = "stem.1",
                          .down_norm = "stages.%d.downsample.0",
                          .down_conv = "stages.%d.downsample.1",
                          .block = "stages.%d.blocks.%e.",
                          .filter = "conv_dw",
                          .norm = "norm",
                          .up = "mlp.fc1",
                          .down = "mlp.fc2",
                          .scale = "gamma",
                          .after = "head.norm",
                          .classifier = "head.fc",
                          .shorter = 256,
                          .resize = ResizeFilter::kCubic};
constexpr Layout kTorchvision = {.first = "features.1.0.layer_scale",
                                 .stem_conv = "features.0.0",
                                 .stem_norm = "features.0.1",
                                 .down_norm = "features.%d.0",
                                 .down_conv = "features.%d.1",
                                 .block = "features.%d.%e.",
                                 .filter = "block.0",
                                 .norm = "block.2",
                                 .up = "block.3",
                                 .down = "block.5",
                                 .scale = "layer_scale",
                                 .after = "classifier.0",
                                 .classifier = "classifier.2",
                                 .stage_step = 2,
                                 .stage_first = 1,
                                 .down_first = 0,
                                 .shorter = 236,
                                 .resize = ResizeFilter::kTriangle};
constexpr Layout kMeta = {.first = "downsample_layers.0.0.weight",
                          .stem_conv = "downsample_layers.0.0",
                          .stem_norm = "downsample_layers.0.1",
                          .down_norm = "downsample_layers.%d.0",
                          .down_conv = "downsample_layers.%d.1",
                          .block = "stages.%d.%e.",
                          .filter = "dwconv",
                          .norm = "norm",
                          .up = "pwconv1",
                          .down = "pwconv2",
                          .scale = "gamma",
                          .after = "norm",
                          .classifier = "head",
                          .shorter = 256,
                          .resize = ResizeFilter::kCubic};

std::string Numbered(std::string_view pattern, int64_t stage, int64_t block = 0) {
  std::string text(pattern);
  const auto put = [&](std::string_view mark, int64_t number) {
    const size_t at = text.find(mark);
    if (at != std::string::npos) text.replace(at, mark.size(), std::to_string(number));
  };
  put("%d", stage);
  put("%e", block);
  return text;
}

struct Plan {
  const Layout* layout = nullptr;
  std::array<int, kStages> blocks{};

  int64_t StageNumber(size_t stage) const {
    return layout->stage_first + layout->stage_step * static_cast<int64_t>(stage);
  }
  int64_t DownNumber(size_t stage) const {
    return layout->down_first + layout->stage_step * static_cast<int64_t>(stage);
  }
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (const Layout* layout : {&kTimm, &kTorchvision, &kMeta}) {
    if (weights.Find(layout->first) == nullptr) continue;
    plan.layout = layout;
    const WeightTensor* stem = weights.Find(std::string(layout->stem_conv) + ".weight");
    if (stem == nullptr || stem->dim(1) != 3 || stem->dim(2) != 4) return false;
    for (size_t stage = 0; stage < kStages; ++stage) {
      plan.blocks[stage] = CountOf(weights, 0, [&](int b) {
        return Numbered(layout->block, plan.StageNumber(stage), b) + std::string(layout->filter) + ".weight";
      });
      if (plan.blocks[stage] == 0) return false;
    }
    return true;
  }
  return false;
}

/// A dense layer, or the 1x1 convolution that timm's small ones have in its place.
Linear PerPixel(Layers& layers, const std::string& name, int64_t out, int64_t in) {
  if (layers.Side(name + ".weight", 2) != 1) return layers.Dense(name, out, in);
  const Convolution conv = layers.Conv(name, out, in, 1);
  if (!conv.weight.defined()) return {};
  return {conv.weight.flatten(1).contiguous(), conv.bias};
}

class ConvNext final : public EmbedNet {
 public:
  ConvNext(const Plan& plan, Layers& layers) {
    const Layout& layout = *plan.layout;
    int64_t features = layers.Outputs(std::string(layout.stem_conv) + ".weight");
    stem_ = layers.Conv(std::string(layout.stem_conv), features, 3, {.side = 4, .stride = 4, .padding = 0});
    stem_norm_ = layers.Norm(std::string(layout.stem_norm), features, kEpsilon);
    for (size_t s = 0; s < kStages; ++s) {
      Stage& stage = stages_.emplace_back();
      if (s > 0) {
        const std::string norm = Numbered(layout.down_norm, plan.DownNumber(s));
        const std::string conv = Numbered(layout.down_conv, plan.DownNumber(s));
        const int64_t out = layers.Outputs(conv + ".weight");
        stage.norm = layers.Norm(norm, features, kEpsilon);
        stage.conv = layers.Conv(conv, out, features, {.side = 2, .stride = 2, .padding = 0});
        features = out;
      }
      for (int b = 0; b < plan.blocks[s]; ++b) {
        const std::string name = Numbered(layout.block, plan.StageNumber(s), b);
        const auto named = [&](std::string_view layer) { return name + std::string(layer); };
        Block& block = stage.blocks.emplace_back();
        block.filter = layers.Conv(named(layout.filter), features, features, {.side = 7, .groups = features});
        block.norm = layers.Norm(named(layout.norm), features, kEpsilon);
        const int64_t inner = layers.Outputs(named(layout.up) + ".weight");
        block.up = PackedLinear(PerPixel(layers, named(layout.up), inner, features));
        block.down = PackedLinear(PerPixel(layers, named(layout.down), features, inner));
        const bool torchvision = &layout == &kTorchvision;
        block.scale = layers.Parameter(named(layout.scale), torchvision ? std::vector<int64_t>{features, 1, 1}
                                                                        : std::vector<int64_t>{features});
        if (block.scale.defined()) block.scale = block.scale.flatten();
      }
    }
    after_ = layers.Norm(std::string(layout.after), features, kEpsilon);
    layers.PassOver(std::string(layout.classifier) + ".weight");
    layers.PassOver(std::string(layout.classifier) + ".bias");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    // Bands last between the convolutions, which take that form too.
    torch::Tensor x = stem_norm_(BandsLast(stem_(input.contiguous(torch::MemoryFormat::ChannelsLast))));
    for (const Stage& stage : stages_) {
      if (stage.conv.weight.defined()) x = BandsLast(stage.conv(BandsFirst(stage.norm(x))));
      for (const Block& block : stage.blocks) {
        torch::Tensor y = block.norm(BandsLast(block.filter(BandsFirst(x))));
        y = block.down(block.up(y, DenseEnd::kGelu)).mul_(block.scale);
        x = y.add_(x);
      }
    }
    return after_(x.mean({1, 2}));
  }

 private:
  struct Block {
    Convolution filter;
    LayerNorm norm;
    PackedLinear up, down;
    torch::Tensor scale;
  };
  struct Stage {
    LayerNorm norm;
    Convolution conv;  ///< undefined in the first
    std::vector<Block> blocks;
  };

  static torch::Tensor BandsLast(const torch::Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous(); }
  static torch::Tensor BandsFirst(const torch::Tensor& x) { return x.permute({0, 3, 1, 2}); }

  Convolution stem_;
  LayerNorm stem_norm_, after_;
  std::vector<Stage> stages_;
};

class ConvNextArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "ConvNeXt"; }
  std::string_view known_by() const override { return "ConvNeXt-Tiny to ConvNeXt-XLarge"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string Variant(const StateDict& weights) const override {
    Plan plan;
    if (!ReadPlan(weights, plan)) return std::string(name());
    const WeightTensor* after = weights.Find(std::string(plan.layout->after) + ".weight");
    return "ConvNeXt of " + std::to_string(after == nullptr ? 0 : after->dim(0)) + " features";
  }

  std::vector<Telltales> telltales() const override {
    return {{"stem.0.weight", "stages.0.blocks.0.conv_dw.weight", "head.norm.weight"},
            {"features.0.0.weight", "features.1.0.layer_scale", "features.1.0.block.0.weight"},
            {"downsample_layers.0.0.weight", "stages.0.0.dwconv.weight", "stages.0.0.gamma"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    return LoadEmbedLayers<ConvNext>(plan, ImageNetInput(224, plan.layout->shorter, plan.layout->resize),
                                     std::move(info), std::move(weights));
  }
};

const ConvNextArchitecture instance;

}  // namespace

extern const Architecture& kConvNext;
const Architecture& kConvNext = instance;

}  // namespace imgmill
