// LPIPS 0.1 (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR
// 2018) on AlexNet, VGG-16 and SqueezeNet 1.1, as lpips.LPIPS(net=...).state_dict() saves it: net.slice1.0,
// lin0.model.1, scaling_layer.
//
// The distance of two images is the sum over layers of the mean over places of sum_c w_c (a_c - b_c)^2, where
// a and b are features of length 1 at each place. So it is the squared distance of two vectors: of all
// features, each multiplied by the root of its weight over the number of places. The network gives that
// vector.
#include <cmath>

#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

/// The patches of the paper's own data set.
constexpr int kSide = 64;

/// One layer of a slice, known by its number in torchvision's list: a convolution with ReLU, a "fire" of
/// three, or a pooling.
struct LayerPlan {
  enum class Kind { kConv, kFire, kPool } kind = Kind::kConv;
  int number = 0;
  ConvShape shape = {};
};

struct Backbone {
  std::string_view name;
  std::string_view last;  ///< a tensor that the others do not have
  std::vector<std::vector<LayerPlan>> slices;
  int64_t pool = 2;  ///< side of the pooling, whose stride is 2
  bool ceils = false;
};

LayerPlan Conv(int number, int64_t side = 3, int64_t stride = 1, int64_t padding = -1) {
  return {LayerPlan::Kind::kConv, number, {.side = side, .stride = stride, .padding = padding}};
}
LayerPlan Fire(int number) {
  return {LayerPlan::Kind::kFire, number};
}
const LayerPlan kPool = {LayerPlan::Kind::kPool};

const std::vector<Backbone>& Backbones() {
  static const std::vector<Backbone> known = {
      {"AlexNet",
       "net.slice5.10.weight",
       {{Conv(0, 11, 4, 2)}, {kPool, Conv(3, 5)}, {kPool, Conv(6)}, {Conv(8)}, {Conv(10)}},
       3},
      {"VGG-16",
       "net.slice5.28.weight",
       {{Conv(0), Conv(2)},
        {kPool, Conv(5), Conv(7)},
        {kPool, Conv(10), Conv(12), Conv(14)},
        {kPool, Conv(17), Conv(19), Conv(21)},
        {kPool, Conv(24), Conv(26), Conv(28)}}},
      {"SqueezeNet",
       "net.slice7.12.squeeze.weight",
       {{Conv(0, 3, 2, 0)},
        {kPool, Fire(3), Fire(4)},
        {kPool, Fire(6), Fire(7)},
        {kPool, Fire(9)},
        {Fire(10)},
        {Fire(11)},
        {Fire(12)}},
       3,
       true}};
  return known;
}

const Backbone* BackboneOf(const StateDict& weights) {
  if (weights.Find("lin0.model.1.weight") == nullptr || weights.Find("net.slice1.0.weight") == nullptr)
    return nullptr;
  for (const Backbone& each : Backbones()) {
    if (weights.Find(each.last) != nullptr) return &each;
  }
  return nullptr;
}

class Lpips final : public EmbedNet {
 public:
  Lpips(const Backbone* plan, Layers& layers) : plan_(*plan) {
    shift_ = layers.Parameter("scaling_layer.shift", {1, 3, 1, 1});
    scale_ = layers.Parameter("scaling_layer.scale", {1, 3, 1, 1});
    int64_t features = 3;
    for (size_t i = 0; i < plan_.slices.size(); ++i) {
      const std::string slice = "net.slice" + std::to_string(i + 1) + ".";
      for (const LayerPlan& layer : plan_.slices[i]) {
        if (layer.kind == LayerPlan::Kind::kPool) continue;
        const std::string name = slice + std::to_string(layer.number);
        const auto conv = [&](const std::string& full, int64_t in, const ConvShape& shape) {
          convolutions_.push_back(layers.Conv(full, layers.Outputs(full + ".weight"), in, shape));
          return layers.Outputs(full + ".weight");
        };
        if (layer.kind == LayerPlan::Kind::kConv) {
          features = conv(name, features, layer.shape);
        } else {
          const int64_t narrow = conv(name + ".squeeze", features, {.side = 1});
          features = conv(name + ".expand1x1", narrow, {.side = 1});
          features += conv(name + ".expand3x3", narrow, {});
        }
      }
      // Where it was saved, the dropout in front of it has a number, too.
      factors_.push_back(
          layers.Parameter("lin" + std::to_string(i) + ".model.1.weight", {1, features, 1, 1}));
      if (factors_.back().defined()) factors_.back() = factors_.back().sqrt();
    }
    layers.PassOverBelow("lins.");  // the same once more
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = (input - shift_) / scale_;
    std::vector<torch::Tensor> parts;
    auto next = convolutions_.begin();
    const auto through = [&](const torch::Tensor& from) { return (*next++)(from).relu_(); };
    for (size_t i = 0; i < plan_.slices.size(); ++i) {
      for (const LayerPlan& layer : plan_.slices[i]) {
        switch (layer.kind) {
          case LayerPlan::Kind::kPool:
            x = torch::max_pool2d(x, plan_.pool, 2, 0, 1, plan_.ceils);
            break;
          case LayerPlan::Kind::kConv:
            x = through(x);
            break;
          case LayerPlan::Kind::kFire:
            const torch::Tensor narrow = through(x);
            const torch::Tensor point = through(narrow);
            x = torch::cat({point, through(narrow)}, 1);
            break;
        }
      }
      const double places = static_cast<double>(x.size(2) * x.size(3));
      const torch::Tensor length = x.square().sum(1, /*keepdim=*/true).sqrt() + 1e-10;
      parts.push_back((x / length * (factors_[i] / std::sqrt(places))).flatten(1));
    }
    return torch::cat(parts, 1);
  }

 private:
  const Backbone& plan_;
  torch::Tensor shift_, scale_;
  std::vector<Convolution> convolutions_;  ///< in the order in which they are run
  std::vector<torch::Tensor> factors_;
};

/// A squared distance has no weights below 0.
Status CheckWeights(const StateDict& weights, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "lin" + std::to_string(i) + ".model.1.weight";
    const WeightTensor* tensor = weights.Find(name);
    if (tensor == nullptr) continue;  // told by the layers
    const Buffer values = TRY(ToFloats(*tensor));
    const auto* value = reinterpret_cast<const float*>(values.data());
    for (int64_t j = 0; j < tensor->count(); ++j) {
      if (value[j] < 0)
        return WeightError("its tensor " + name + " has weights below 0: what it measures is no distance");
    }
  }
  return {};
}

class LpipsArchitecture final : public Architecture {
 public:
  std::string_view name() const override { return "LPIPS"; }
  std::string_view known_by() const override { return "LPIPS 0.1 with its backbone: alex, vgg, squeeze"; }
  ModelTask task() const override { return ModelTask::kCompare; }

  std::string Variant(const StateDict& weights) const override {
    const Backbone* backbone = BackboneOf(weights);
    return std::string(name()) + (backbone == nullptr ? "" : " on " + std::string(backbone->name));
  }

  std::vector<Telltales> telltales() const override {
    return {{"net.slice1.0.weight", "lin0.model.1.weight", "scaling_layer.shift"}};
  }

  bool Matches(const StateDict& weights) const override { return BackboneOf(weights) != nullptr; }

  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    const Backbone* backbone = BackboneOf(*weights);
    if (backbone == nullptr) return WeightError("it is not an LPIPS");
    TRY(CheckWeights(*weights, backbone->slices.size()));
    info.compares = true;
    return LoadEmbedLayers<Lpips>(backbone, PlainInput(kSide, ResizeFilter::kTriangle), std::move(info),
                                  std::move(weights));
  }
};

const LpipsArchitecture instance;

}  // namespace

extern const Architecture& kLpips;
const Architecture& kLpips = instance;

}  // namespace imgmill
