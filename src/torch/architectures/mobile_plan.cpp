// timm's names (conv_stem, blocks.1.0.conv_pw) and torchvision's (features.2.conv.0.0). Strides and
// activations leave no trace in the shapes: they are those of the papers, by the place of a block.
#include "torch/architectures/mobile_plan.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "torch/architectures/embed_network.h"

namespace imgmill {
namespace {

constexpr double kTensorFlowEpsilon = 1e-3;
constexpr int kSide = 224, kShorter = 256;
constexpr char kEfficientNet[] = "EfficientNet";

/// Training by PyTorch counts its batches; weights that were converted from TensorFlow have none.
bool IsConverted(const StateDict& weights) {
  const WeightTensor* count = weights.Find("bn1.num_batches_tracked");
  if (count == nullptr || count->type != ElementType::kInt64 || count->bytes() != sizeof(int64_t))
    return true;
  int64_t batches = 0;
  return count->Read(0, &batches, sizeof batches) && batches == 0;
}

bool IsDepthwise(const WeightTensor* weight) {
  return weight != nullptr && weight->shape.size() == 4 && weight->dim(1) == 1;
}

/// timm's blocks of stage s, whose first has the stride. False for a block of another kind.
bool AddStage(const StateDict& weights, int s, int64_t stride, MobileActivation activation,
              MobilePlan& plan) {
  const std::string stage = "blocks." + std::to_string(s) + ".";
  for (int b = 0;; ++b, stride = 1) {
    const std::string name = stage + std::to_string(b) + ".";
    const auto has = [&](const char* layer) { return weights.Find(name + layer + ".weight") != nullptr; };
    if (!has("conv_dw")) return b > 0;
    MobileBlock& block = plan.blocks.emplace_back();
    block.stride = stride;
    block.activation = activation;
    if (has("conv_pwl")) {
      block.expand = {name + "conv_pw", name + "bn1"};
      block.depthwise = {name + "conv_dw", name + "bn2"};
      block.project = {name + "conv_pwl", name + "bn3"};
    } else {
      block.depthwise = {name + "conv_dw", name + "bn1"};
      block.project = {name + "conv_pw", name + "bn2"};
    }
    if (has("se.conv_reduce")) {
      block.squeeze = name + "se.conv_reduce";
      block.excite = name + "se.conv_expand";
    }
  }
}

/// MobileNetV2, EfficientNets and MobileNetV3 by timm.
bool ReadTimm(const StateDict& weights, MobilePlan& plan) {
  if (weights.Find("conv_stem.weight") == nullptr || weights.Find("conv_head.weight") == nullptr)
    return false;
  int stages = 0;
  while (weights.Find("blocks." + std::to_string(stages) + ".0.bn1.weight") != nullptr) ++stages;
  plan.stem = {"conv_stem", "bn1"};
  const bool third = weights.Find("conv_head.bias") != nullptr;
  const bool efficient = !third && weights.Find("blocks.0.0.se.conv_reduce.weight") != nullptr;
  if (third) {
    // Its last stage is a convolution, and a layer stands behind the average.
    const std::string last = "blocks." + std::to_string(stages - 1) + ".0.";
    if (stages < 6 || stages > 7 || weights.Find(last + "conv.weight") == nullptr) return false;
    plan.last = {last + "conv", last + "bn1"};
    plan.head = "conv_head";
    plan.activation = MobileActivation::kHardSwish;
    plan.name = stages == 7 ? "MobileNetV3-Large" : "MobileNetV3-Small";
    --stages;
  } else if (stages == 7) {
    plan.last = {"conv_head", "bn2"};
    plan.name = efficient ? kEfficientNet : "MobileNetV2";
    if (efficient) plan.activation = MobileActivation::kSilu;
  } else {
    return false;
  }
  constexpr std::array<int64_t, 7> kStrides = {1, 2, 2, 2, 1, 2, 1}, kSmall = {2, 2, 2, 1, 2, 1, 1};
  const bool small = third && stages == 5;
  for (int s = 0; s < stages; ++s) {
    const MobileActivation inner =
        s < (small ? 2 : 3) ? MobileActivation::kRelu : MobileActivation::kHardSwish;
    const int64_t stride = (small ? kSmall : kStrides)[static_cast<size_t>(s)];
    if (!AddStage(weights, s, stride, third ? inner : plan.activation, plan)) return false;
  }
  const bool weighed = std::any_of(plan.blocks.begin(), plan.blocks.end(),
                                   [](const MobileBlock& block) { return !block.squeeze.empty(); });
  if (efficient) return true;
  if (weighed != third) return false;
  const bool wide = std::any_of(plan.blocks.begin(), plan.blocks.end(), [&](const MobileBlock& block) {
    return weights.Find(block.depthwise.conv + ".weight")->dim(2) > 3;
  });
  if (!third && wide) {
    constexpr size_t kLite0Blocks = 16;
    if (plan.blocks.size() != kLite0Blocks) return false;
    plan.name = "EfficientNet-Lite0";
  }
  plan.input = ImageNetInput(kSide, kShorter, ResizeFilter::kCubic);
  if (plan.name != "MobileNetV2" && IsConverted(weights)) {
    plan.same_padding = true;
    plan.epsilon = kTensorFlowEpsilon;
    plan.input.SetMean({0.5, 0.5, 0.5}, {0.5, 0.5, 0.5});
    if (third) plan.input.filter = ResizeFilter::kTriangle;
  }
  return true;
}

/// Reads the plan out of torchvision's weights, whose blocks are numbered through.
bool ReadTorchvision(const StateDict& weights, MobilePlan& plan) {
  if (weights.Find("features.0.0.weight") == nullptr || weights.Find("features.0.1.running_var") == nullptr)
    return false;
  const bool third = weights.Find("features.1.block.0.0.weight") != nullptr;
  const std::string layers = third ? ".block." : ".conv.";
  plan.stem = {"features.0.0", "features.0.1"};
  int count = 0;  // of blocks, from 1 on
  while (weights.Find("features." + std::to_string(count + 1) + layers + "0.0.weight") != nullptr) ++count;
  const std::string last = "features." + std::to_string(count + 1) + ".";
  plan.last = {last + "0", last + "1"};
  if (third) {
    if (count != 15 && count != 11) return false;
    plan.name = count == 15 ? "MobileNetV3-Large" : "MobileNetV3-Small";
    plan.head = "classifier.0";
    plan.activation = MobileActivation::kHardSwish;
    plan.epsilon = kTensorFlowEpsilon;
  } else {
    if (count != 17) return false;
    plan.name = "MobileNetV2";
  }
  const std::vector<int> halving = !third        ? std::vector<int>{2, 4, 7, 14}
                                   : count == 15 ? std::vector<int>{2, 4, 7, 13}
                                                 : std::vector<int>{1, 2, 4, 9};
  for (int i = 1; i <= count; ++i) {
    const std::string name = "features." + std::to_string(i) + layers;
    MobileBlock& block = plan.blocks.emplace_back();
    block.stride = std::count(halving.begin(), halving.end(), i) > 0 ? 2 : 1;
    if (third) {
      block.activation = i < (count == 15 ? 7 : 4) ? MobileActivation::kRelu : MobileActivation::kHardSwish;
    }
    int layer = 0;
    const auto next = [&] { return name + std::to_string(layer) + "."; };
    if (!IsDepthwise(weights.Find(next() + "0.weight"))) {
      block.expand = {next() + "0", next() + "1"};
      ++layer;
    }
    block.depthwise = {next() + "0", next() + "1"};
    if (!IsDepthwise(weights.Find(block.depthwise.conv + ".weight"))) return false;
    ++layer;
    if (weights.Find(next() + "fc1.weight") != nullptr) {
      block.squeeze = next() + "fc1";
      block.excite = next() + "fc2";
      ++layer;
    }
    block.project = third ? MobileLayer{next() + "0", next() + "1"}
                          : MobileLayer{name + std::to_string(layer), name + std::to_string(layer + 1)};
  }
  plan.input = ImageNetInput(kSide, kShorter, ResizeFilter::kTriangle);
  return true;
}

}  // namespace

std::optional<MobilePlan> ReadMobilePlan(const StateDict& weights) {
  MobilePlan plan;
  if (ReadTimm(weights, plan)) return plan.name == kEfficientNet ? std::nullopt : std::optional(plan);
  plan = {};
  if (ReadTorchvision(weights, plan)) return plan;
  return std::nullopt;
}

std::optional<MobilePlan> ReadEfficientNetPlan(const StateDict& weights) {
  MobilePlan plan;
  if (ReadTimm(weights, plan) && plan.name == kEfficientNet) return plan;
  return std::nullopt;
}

}  // namespace imgmill
