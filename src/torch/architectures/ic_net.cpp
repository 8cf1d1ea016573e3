// ICNet (Feng et al., "IC9600: A Benchmark Dataset for Automatic Image Complexity Assessment", TPAMI 2023):
// how complex an image is to a person, 0 to 1. A short ResNet-18 sees the image, a whole one sees it at half
// its size; each map of features is weighed by what a small network makes of the map. The published file's
// second head, for a map of complexity, is left alone.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/resnet_stage.h"

namespace imgmill {
namespace {

constexpr int kSide = 512;

torch::Tensor Resized(const torch::Tensor& x, int64_t side) {
  if (x.size(2) == side && x.size(3) == side) return x;
  return torch::upsample_bilinear2d(x, {side, side}, /*align_corners=*/true);
}

/// The paper's spatial layout attention: a weight for each map, made of the map at a fixed size.
class MapAttention {
 public:
  MapAttention() = default;
  MapAttention(const std::string& name, Layers& layers) {
    const int64_t inner = layers.Outputs(name + ".linear.0.weight");
    const int64_t pixels = layers.Side(name + ".linear.0.weight", 1);
    while ((side_ + 1) * (side_ + 1) <= pixels) ++side_;
    first_ = layers.Dense(name + ".linear.0", inner, side_ * side_);
    second_ = layers.Dense(name + ".linear.2", 1, inner);
  }
  torch::Tensor operator()(const torch::Tensor& x) const {
    const torch::Tensor inner = first_(Resized(x, side_).flatten(2)).relu_();
    return x * second_(inner).sigmoid_().unsqueeze(3);
  }

 private:
  int64_t side_ = 0;
  Linear first_, second_;
};

struct NoPlan {};

class IcNet final : public EmbedNet {
 public:
  IcNet(const NoPlan&, Layers& layers) : detail_(layers, "b1_", 2), context_(layers, "b2_", 4) {
    const auto conv = [&](const std::string& name, int64_t in, const ConvShape& shape) {
      return layers.ConvNorm(name + ".conv", name + ".bn", layers.Outputs(name + ".conv.weight"), in, shape);
    };
    up_detail_ = conv("up1", detail_.features, {.side = 1});
    up_context_ = conv("up2", context_.features, {.side = 1});
    const int64_t joined = layers.Outputs("up1.conv.weight") + layers.Outputs("up2.conv.weight");
    judged_ = conv("to_score_f", joined, {});
    attention_ = MapAttention("to_score_f_slam", layers);
    const int64_t inner = layers.Outputs("head.0.weight");
    head_ = layers.Dense("head.0", inner, layers.Outputs("to_score_f.conv.weight"));
    score_ = layers.Dense("head.2", 1, inner);
    layers.PassOverBelow("to_map");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    const int64_t side = input.size(2);
    const torch::Tensor context = context_(Resized(input, side / 2));
    const auto enlarged = [&](const Convolution& conv, const torch::Tensor& x) {
      return conv(Resized(x, side / 8)).relu_();
    };
    torch::Tensor x = torch::cat({enlarged(up_detail_, detail_(input)), enlarged(up_context_, context)}, 1);
    x = attention_(judged_(x).relu_()).mean({2, 3});
    return score_(head_(x).relu_()).sigmoid_();
  }

 private:
  /// The first stages of a ResNet-18, with attention behind each: "b1_1.0" and "b1_1.1" (stem), "b1_1.4."
  /// (first stage), "b1_1_slam", "b1_2.", "b1_2_slam" ...
  struct Branch {
    Branch(Layers& layers, const std::string& name, int count) : stem(name + "1.0", name + "1.1", layers) {
      features = stem.features();
      for (int i = 1; i <= count; ++i) {
        const std::string number = name + std::to_string(i);
        stages.emplace_back(number + (i == 1 ? ".4." : "."), features, i == 1 ? 1 : 2, layers);
        features = stages.back().features();
        attention.emplace_back(number + "_slam", layers);
      }
    }
    torch::Tensor operator()(const torch::Tensor& image) const {
      torch::Tensor x = stem(image);
      for (size_t i = 0; i < stages.size(); ++i) x = attention[i](stages[i](x));
      return x;
    }
    ResNetStem stem;
    std::vector<ResNetStage> stages;
    std::vector<MapAttention> attention;
    int64_t features = 0;
  };
  Branch detail_, context_;
  Convolution up_detail_, up_context_, judged_;
  MapAttention attention_;
  Linear head_, score_;
};

class IcNetArchitecture final : public Architecture {
 public:
  std::string_view name() const override { return "ICNet"; }
  std::string_view known_by() const override { return "IC9600's image complexity"; }
  ModelTask task() const override { return ModelTask::kScore; }

  std::vector<Telltales> telltales() const override {
    return {{"b1_1.0.weight", "b2_4_slam.linear.0.weight", "to_score_f.conv.weight", "head.2.weight"}};
  }

  bool Matches(const StateDict& weights) const override {
    const Telltales names = telltales().front();
    return std::all_of(names.begin(), names.end(),
                       [&](std::string_view name) { return weights.Find(name) != nullptr; });
  }

  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    info.score = "complexity";
    ModelInput input = ImageNetInput(kSide, 0, ResizeFilter::kTriangle);
    input.rule = SquareRule::kSquash;
    return LoadEmbedLayers<IcNet>(NoPlan{}, input, std::move(info), std::move(weights));
  }
};

const IcNetArchitecture instance;

}  // namespace

extern const Architecture& kIcNet;
const Architecture& kIcNet = instance;

}  // namespace imgmill
