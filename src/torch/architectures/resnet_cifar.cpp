// The small ResNets for CIFAR-10 (He et al., "Deep Residual Learning for Image Recognition", 2015,
// section 4.2): ResNet-20, 32, 44, 56, 110 for pictures of 32x32, with three stages of 16, 32 and 64
// features. The vector is the average over the image, before the classifier.
//
// Layout: akamaster's pytorch_resnet_cifar10 (layer1.0.conv1, linear). Where the features double, the input
// that is added takes every other pixel and is filled up with zeros on both sides; a layer2.0.shortcut.0 does
// it by weights.
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"

namespace imgmill {
namespace {

constexpr int kSide = 32;

struct Plan {
  std::array<int, 3> blocks{};
};

std::string BlockName(size_t stage, int block) {
  return "layer" + std::to_string(stage + 1) + "." + std::to_string(block) + ".";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv1.weight");
  if (first == nullptr || first->shape.size() != 4 || first->dim(1) != 3 || first->dim(2) != 3 ||
      weights.Find("linear.weight") == nullptr || weights.Find("layer4.0.conv1.weight") != nullptr ||
      weights.Find("layer1.0.conv3.weight") != nullptr || weights.Find("bn1.running_var") == nullptr) {
    return false;
  }
  for (size_t stage = 0; stage < plan.blocks.size(); ++stage) {
    plan.blocks[stage] = CountOf(weights, 0, [&](int b) { return BlockName(stage, b) + "conv1.weight"; });
    if (plan.blocks[stage] == 0) return false;
  }
  return true;
}

class CifarResNet final : public EmbedNet {
 public:
  CifarResNet(const Plan& plan, Layers& layers) {
    int64_t features = layers.Outputs("conv1.weight");
    first_ = layers.ConvNorm("conv1", "bn1", features, 3);
    for (size_t stage = 0; stage < plan.blocks.size(); ++stage) {
      for (int b = 0; b < plan.blocks[stage]; ++b) {
        const std::string name = BlockName(stage, b);
        const int64_t out = layers.Outputs(name + "conv1.weight");
        Block& block = blocks_.emplace_back();
        block.stride = stage > 0 && b == 0 ? 2 : 1;
        block.first = layers.ConvNorm(name + "conv1", name + "bn1", out, features, {.stride = block.stride});
        block.second = layers.ConvNorm(name + "conv2", name + "bn2", out, out);
        if (layers.Has(name + "shortcut.0.weight")) {
          block.shortcut = layers.ConvNorm(name + "shortcut.0", name + "shortcut.1", out, features,
                                           {.side = 1, .stride = block.stride});
        }
        block.more = out - features;
        features = out;
      }
    }
    layers.PassOver("linear.weight");
    layers.PassOver("linear.bias");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = first_(input.contiguous(torch::MemoryFormat::ChannelsLast)).relu_();
    for (const Block& block : blocks_) {
      torch::Tensor y = block.second(block.first(x).relu_());
      if (block.shortcut.weight.defined()) {
        x = block.shortcut(x);
      } else if (block.stride > 1 || block.more > 0) {
        x = x.slice(2, 0, std::nullopt, block.stride).slice(3, 0, std::nullopt, block.stride);
        x = torch::constant_pad_nd(x, {0, 0, 0, 0, block.more / 2, block.more - block.more / 2}, 0);
      }
      x = y.add_(x).relu_();
    }
    return x.mean({2, 3});
  }

 private:
  struct Block {
    Convolution first, second, shortcut;
    int64_t stride = 1, more = 0;  ///< features that the block adds
  };
  Convolution first_;
  std::vector<Block> blocks_;
};

class CifarResNetArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "ResNet for CIFAR"; }
  std::string_view known_by() const override { return "ResNet-20 to ResNet-110 for 32x32"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string VariantOf(const Plan& plan) const override {
    return "ResNet-" + std::to_string(2 + 2 * (plan.blocks[0] + plan.blocks[1] + plan.blocks[2])) +
           " for CIFAR";
  }

  std::vector<Telltales> telltales() const override {
    return {{"conv1.weight", "layer1.0.conv1.weight", "layer3.0.conv1.weight", "linear.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    return LoadEmbedLayers<CifarResNet>(plan, ImageNetInput(kSide, kSide, ResizeFilter::kTriangle),
                                        std::move(info), std::move(weights));
  }
};

const CifarResNetArchitecture instance;

}  // namespace

extern const Architecture& kCifarResNet;
const Architecture& kCifarResNet = instance;

}  // namespace imgmill
