// Networks for phones as embedders: MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear
// Bottlenecks", 2018), MobileNetV3 (Howard et al., "Searching for MobileNetV3", 2019) and EfficientNet-Lite0
// (Tan and Le, "EfficientNet", 2019, without the weighing of bands). The vector is what the classifier is
// given: the average over the image of the last convolution, behind one more layer in MobileNetV3.
#include <algorithm>

#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/mobile_plan.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

torch::Tensor Activated(torch::Tensor x, MobileActivation activation) {
  switch (activation) {
    case MobileActivation::kRelu:
      return x.relu_();
    case MobileActivation::kRelu6:
      return torch::clamp_(x, 0, 6);
    case MobileActivation::kHardSwish:
      break;
  }
  return torch::hardswish_(x);
}

class MobileNet final : public EmbedNet {
 public:
  MobileNet(const MobilePlan& plan, Layers& layers)
      : same_padding_(plan.same_padding), activation_(plan.activation) {
    const auto conv = [&](const MobileLayer& layer, int64_t in, const ConvShape& shape) {
      return layers.ConvNorm(layer.conv, layer.norm, layers.Outputs(layer.conv + ".weight"), in, shape,
                             plan.epsilon);
    };
    stem_ = conv(plan.stem, 3, {.stride = 2});
    int64_t bands = layers.Outputs(plan.stem.conv + ".weight");
    for (const MobileBlock& names : plan.blocks) {
      Block& block = blocks_.emplace_back();
      block.activation = names.activation;
      int64_t inner = bands;
      if (!names.expand.conv.empty()) {
        block.expand = conv(names.expand, bands, {.side = 1});
        inner = layers.Outputs(names.expand.conv + ".weight");
      }
      const std::string depthwise = names.depthwise.conv + ".weight";
      block.depthwise = conv(names.depthwise, inner,
                             {.side = layers.Side(depthwise, 2), .stride = names.stride, .groups = inner});
      if (!names.squeeze.empty()) {
        const int64_t few = layers.Outputs(names.squeeze + ".weight");
        block.squeeze = layers.Conv(names.squeeze, few, inner, 1);
        block.excite = layers.Conv(names.excite, inner, few, 1);
      }
      block.project = conv(names.project, inner, {.side = 1});
      const int64_t out = layers.Outputs(names.project.conv + ".weight");
      block.adds_input = names.stride == 1 && out == bands;
      bands = out;
    }
    last_ = conv(plan.last, bands, {.side = 1});
    if (!plan.head.empty()) {
      // A 1x1 convolution in timm, a linear layer in torchvision.
      const int64_t pooled = layers.Outputs(plan.last.conv + ".weight");
      const int64_t out = layers.Outputs(plan.head + ".weight");
      if (layers.Side(plan.head + ".weight", 2) == 1) {
        const Convolution head = layers.Conv(plan.head, out, pooled, 1);
        if (head.weight.defined()) head_ = {head.weight.flatten(1).contiguous(), head.bias};
      } else {
        head_ = layers.Dense(plan.head, out, pooled);
      }
    }
    for (const char* classifier : {"classifier", "classifier.1", "classifier.3"}) {
      if (classifier == plan.head) continue;
      layers.PassOver(std::string(classifier) + ".weight");
      layers.PassOver(std::string(classifier) + ".bias");
    }
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x =
        Activated(Convolved(stem_, input.contiguous(torch::MemoryFormat::ChannelsLast)), activation_);
    for (const Block& block : blocks_) {
      torch::Tensor y = x;
      if (block.expand.weight.defined()) y = Activated(block.expand(y), block.activation);
      y = Activated(Convolved(block.depthwise, y), block.activation);
      if (block.squeeze.weight.defined()) {
        const torch::Tensor all = y.mean({2, 3}, /*keepdim=*/true);
        y.mul_(torch::hardsigmoid(block.excite(block.squeeze(all).relu_())));
      }
      y = block.project(y);
      x = block.adds_input ? y.add_(x) : y;
    }
    x = Activated(last_(x), activation_).mean({2, 3});
    return head_.weight.defined() ? Activated(head_(x), activation_) : x;
  }

 private:
  struct Block {
    Convolution expand, depthwise, squeeze, excite, project;
    MobileActivation activation = MobileActivation::kRelu6;
    bool adds_input = false;
  };

  torch::Tensor Convolved(const Convolution& layer, const torch::Tensor& x) const {
    if (!same_padding_ || layer.shape.stride == 1) return layer(x);
    const int64_t side = layer.weight.size(2), stride = layer.shape.stride;
    const auto lacks = [&](int64_t length) {
      return std::max<int64_t>(0, ((length + stride - 1) / stride - 1) * stride + side - length);
    };
    const int64_t down = lacks(x.size(2)), across = lacks(x.size(3));
    Convolution bare = layer;
    bare.shape.padding = 0;
    return bare(torch::constant_pad_nd(x, {across / 2, across - across / 2, down / 2, down - down / 2}, 0));
  }

  bool same_padding_;
  MobileActivation activation_;
  Convolution stem_, last_;
  std::vector<Block> blocks_;
  Linear head_;
};

class MobileArchitecture final : public Architecture {
 public:
  std::string_view name() const override { return "MobileNet"; }
  std::string_view known_by() const override { return "MobileNetV2, MobileNetV3, EfficientNet-Lite0"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string Variant(const StateDict& weights) const override {
    const std::optional<MobilePlan> plan = ReadMobilePlan(weights);
    return plan ? plan->name : std::string(name());
  }

  std::vector<Telltales> telltales() const override {
    return {{"conv_stem.weight", "blocks.0.0.conv_dw.weight", "conv_head.weight"},
            {"features.0.0.weight", "features.2.conv.0.0.weight"},
            {"features.0.0.weight", "features.2.block.0.0.weight"}};
  }

  bool Matches(const StateDict& weights) const override { return ReadMobilePlan(weights).has_value(); }

  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    const std::optional<MobilePlan> plan = ReadMobilePlan(*weights);
    if (!plan) return WeightError("it is not a MobileNet");
    if (plan->same_padding)
      info.assumed = "padding and preprocessing of TensorFlow, as no batches were counted";
    return LoadEmbedLayers<MobileNet>(*plan, plan->input, std::move(info), std::move(weights));
  }
};

const MobileArchitecture instance;

}  // namespace

extern const Architecture& kMobileNet;
const Architecture& kMobileNet = instance;

}  // namespace imgmill
