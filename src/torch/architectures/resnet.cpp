// ResNet (He et al., "Deep Residual Learning for Image Recognition", 2015) as a network for embedding: the
// features behind the average over the image, before the classifier. ResNet-18, 34, 50, 101, 152, and those
// of the same layout with wider or grouped middle layers (Wide ResNet, ResNeXt).
//
// torchvision's and timm's names are the same: conv1, layer1.0.conv1, layer1.0.downsample.0. Weights of both
// do not say how they were tested either; taken is what torchvision's first weights were: shorter side 256, a
// square of 224, BILINEAR.
#include <array>

#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

struct Plan {
  std::array<int, 4> blocks{};
  bool bottleneck = false;
};

std::string BlockName(size_t stage, int block) {
  return "layer" + std::to_string(stage + 1) + "." + std::to_string(block) + ".";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv1.weight");
  if (first == nullptr || first->shape.size() != 4 || first->dim(1) != 3 || first->dim(2) != 7) return false;
  for (size_t stage = 0; stage < plan.blocks.size(); ++stage) {
    plan.blocks[stage] = CountOf(weights, 0, [&](int b) { return BlockName(stage, b) + "conv1.weight"; });
    if (plan.blocks[stage] == 0) return false;
  }
  plan.bottleneck = weights.Find("layer1.0.conv3.weight") != nullptr;
  return weights.Find("bn1.running_var") != nullptr && weights.Find("layer1.0.bn1.weight") != nullptr;
}

class ResNet final : public EmbedNet {
 public:
  ResNet(const Plan& plan, Layers& layers) {
    int64_t features = layers.Outputs("conv1.weight");
    first_ = layers.ConvNorm("conv1", "bn1", features, 3, {.side = 7, .stride = 2});
    for (size_t stage = 0; stage < plan.blocks.size(); ++stage) {
      for (int b = 0; b < plan.blocks[stage]; ++b) {
        const int64_t stride = stage > 0 && b == 0 ? 2 : 1;
        const std::string name = BlockName(stage, b);
        const auto conv = [&](const char* which, int64_t in, const ConvShape& shape) {
          const std::string number = which;
          return layers.ConvNorm(name + "conv" + number, name + "bn" + number,
                                 layers.Outputs(name + "conv" + number + ".weight"), in, shape);
        };
        Block& block = blocks_.emplace_back();
        const int64_t inner = layers.Outputs(name + "conv1.weight");
        if (plan.bottleneck) {
          // The stride is the middle layer's, as torchvision has it.
          block.layers.push_back(conv("1", features, {.side = 1}));
          const int64_t of_group = layers.Side(name + "conv2.weight", 1);
          block.layers.push_back(
              conv("2", inner, {.stride = stride, .groups = of_group > 0 ? inner / of_group : 1}));
          block.layers.push_back(conv("3", layers.Outputs(name + "conv2.weight"), {.side = 1}));
        } else {
          block.layers.push_back(conv("1", features, {.stride = stride}));
          block.layers.push_back(conv("2", inner, {}));
        }
        const int64_t out = layers.Outputs(name + (plan.bottleneck ? "conv3.weight" : "conv2.weight"));
        if (layers.Has(name + "downsample.0.weight")) {
          block.shortcut = layers.ConvNorm(name + "downsample.0", name + "downsample.1", out, features,
                                           {.side = 1, .stride = stride});
        }
        features = out;
      }
    }
    layers.PassOver("fc.weight");
    layers.PassOver("fc.bias");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = first_(input.contiguous(torch::MemoryFormat::ChannelsLast)).relu_();
    x = torch::max_pool2d(x, 3, 2, 1);
    for (const Block& block : blocks_) {
      torch::Tensor y = x;
      for (size_t i = 0; i < block.layers.size(); ++i) {
        y = block.layers[i](y);
        if (i + 1 < block.layers.size()) y.relu_();
      }
      x = y.add_(block.shortcut.weight.defined() ? block.shortcut(x) : x).relu_();
    }
    return x.mean({2, 3});
  }

 private:
  struct Block {
    std::vector<Convolution> layers;
    Convolution shortcut;  ///< undefined where the input itself is added
  };
  Convolution first_;
  std::vector<Block> blocks_;
};

class ResNetArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "ResNet"; }
  std::string_view known_by() const override { return "ResNet-18 to ResNet-152"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string VariantOf(const Plan& plan) const override {
    int depth = 2;
    for (const int blocks : plan.blocks) depth += blocks * (plan.bottleneck ? 3 : 2);
    return "ResNet-" + std::to_string(depth);
  }

  std::vector<Telltales> telltales() const override {
    return {{"conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer4.0.conv1.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    return LoadEmbedLayers<ResNet>(plan, ImageNetInput(224, 256, ResizeFilter::kTriangle), std::move(info),
                                   std::move(weights));
  }
};

const ResNetArchitecture instance;

}  // namespace

extern const Architecture& kResNet;
const Architecture& kResNet = instance;

}  // namespace imgmill
