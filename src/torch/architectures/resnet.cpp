// ResNet (He et al., "Deep Residual Learning for Image Recognition", 2015) as a network for embedding: the
// features behind the average over the image, before the classifier. ResNet-18, 34, 50, 101, 152, and those
// of the same layout with wider or grouped middle layers (Wide ResNet, ResNeXt).
//
// torchvision's and timm's names are the same: conv1, layer1.0.conv1, layer1.0.downsample.0. Weights of both
// do not say how they were tested either; taken is what torchvision's first weights were: shorter side 256, a
// square of 224, BILINEAR.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/resnet_stage.h"

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
  if (first == nullptr || first->shape.size() != 4 || first->dim(2) != 7) return false;
  for (size_t stage = 0; stage < plan.blocks.size(); ++stage) {
    // By two of a block's layers, so that one that is missing is named when it is made.
    for (const char* layer : {"conv1.weight", "conv2.weight"}) {
      const int count = CountOf(weights, 0, [&](int b) { return BlockName(stage, b) + layer; });
      plan.blocks[stage] = std::max(plan.blocks[stage], count);
    }
    if (plan.blocks[stage] == 0) return false;
  }
  plan.bottleneck = weights.Find("layer1.0.conv3.weight") != nullptr;
  return weights.Find("bn1.running_var") != nullptr && weights.Find("layer1.0.bn1.weight") != nullptr;
}

class ResNet final : public EmbedNet {
 public:
  ResNet(const Plan&, Layers& layers) : stem_("conv1", "bn1", layers) {
    int64_t features = stem_.features();
    for (size_t i = 0; i < stages_.size(); ++i) {
      stages_[i] = ResNetStage("layer" + std::to_string(i + 1) + ".", features, i > 0 ? 2 : 1, layers);
      features = stages_[i].features();
    }
    layers.PassOver("fc.weight");
    layers.PassOver("fc.bias");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = stem_(input);
    for (const ResNetStage& stage : stages_) x = stage(x);
    return x.mean({2, 3});
  }

 private:
  ResNetStem stem_;
  std::array<ResNetStage, 4> stages_;
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
    info.assumed = "shown images as torchvision's first weights are";
    return LoadEmbedLayers<ResNet>(plan, ImageNetInput(224, 256, ResizeFilter::kTriangle), std::move(info),
                                   std::move(weights));
  }
};

const ResNetArchitecture instance;

}  // namespace

extern const Architecture& kResNet;
const Architecture& kResNet = instance;

}  // namespace imgmill
