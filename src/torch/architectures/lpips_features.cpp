#include "torch/architectures/lpips_features.h"

#include <string>
#include <utility>

namespace imgmill {
namespace {

LpipsLayer Conv(int number, int64_t side = 3, int64_t stride = 1, int64_t padding = -1) {
  return {LpipsLayer::Kind::kConv, number, {.side = side, .stride = stride, .padding = padding}};
}
LpipsLayer Fire(int number) {
  return {LpipsLayer::Kind::kFire, number};
}
const LpipsLayer kPool = {LpipsLayer::Kind::kPool};

const std::vector<LpipsBackbone>& Backbones() {
  static const std::vector<LpipsBackbone> known = {
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

}  // namespace

const LpipsBackbone* LpipsBackboneOf(const StateDict& weights) {
  if (weights.Find("lin0.model.1.weight") == nullptr || weights.Find("net.slice1.0.weight") == nullptr)
    return nullptr;
  for (const LpipsBackbone& each : Backbones()) {
    if (weights.Find(each.last) != nullptr) return &each;
  }
  return nullptr;
}

LpipsFeatures::LpipsFeatures(const LpipsBackbone& plan, Layers& layers) : plan_(plan) {
  shift_ = layers.Parameter("scaling_layer.shift", {1, 3, 1, 1});
  scale_ = layers.Parameter("scaling_layer.scale", {1, 3, 1, 1});
  int64_t features = 3, stride = 1;
  for (size_t i = 0; i < plan_.slices.size(); ++i) {
    const std::string slice = "net.slice" + std::to_string(i + 1) + ".";
    std::vector<Convolution>& convolutions = convolutions_.emplace_back();
    for (const LpipsLayer& layer : plan_.slices[i]) {
      const std::string name = slice + std::to_string(layer.number);
      const auto conv = [&](const std::string& full, int64_t in, const ConvShape& shape) {
        const int64_t out = layers.Outputs(full + ".weight");
        convolutions.push_back(layers.Conv(full, out, in, shape));
        return out;
      };
      switch (layer.kind) {
        case LpipsLayer::Kind::kPool:
          stride *= 2;
          break;
        case LpipsLayer::Kind::kConv:
          features = conv(name, features, layer.shape);
          stride *= layer.shape.stride;
          break;
        case LpipsLayer::Kind::kFire:
          const int64_t narrow = conv(name + ".squeeze", features, {.side = 1});
          features = conv(name + ".expand1x1", narrow, {.side = 1});
          features += conv(name + ".expand3x3", narrow, {});
          break;
      }
    }
    strides_.push_back(stride);
    // Where it was saved, the dropout in front of it has a number, too.
    weights_.push_back(layers.Parameter("lin" + std::to_string(i) + ".model.1.weight", {1, features, 1, 1}));
  }
  layers.PassOverBelow("lins.");  // the same once more
}

torch::Tensor LpipsFeatures::Slice(size_t i, torch::Tensor features) const {
  torch::Tensor x = std::move(features);
  auto next = convolutions_[i].begin();
  const auto through = [&](const torch::Tensor& from) { return (*next++)(from).relu_(); };
  for (const LpipsLayer& layer : plan_.slices[i]) {
    switch (layer.kind) {
      case LpipsLayer::Kind::kPool:
        x = torch::max_pool2d(x, plan_.pool, 2, 0, 1, plan_.ceils);
        break;
      case LpipsLayer::Kind::kConv:
        x = through(x);
        break;
      case LpipsLayer::Kind::kFire:
        const torch::Tensor narrow = through(x);
        const torch::Tensor point = through(narrow);
        x = torch::cat({point, through(narrow)}, 1);
        break;
    }
  }
  return x;
}

}  // namespace imgmill
