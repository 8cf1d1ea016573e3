// Networks for phones as embedders: MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear
// Bottlenecks", 2018), MobileNetV3 (Howard et al., "Searching for MobileNetV3", 2019) and EfficientNet-Lite0
// (Tan and Le, "EfficientNet", 2019, without the weighing of bands). The vector is what the classifier is
// given: the average over the image of the last convolution, behind one more layer in MobileNetV3.
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/mobile_features.h"

namespace imgmill {
namespace {

class MobileNet final : public EmbedNet {
 public:
  MobileNet(const MobilePlan& plan, Layers& layers) : features_(plan, layers), activation_(plan.activation) {
    if (!plan.head.empty()) {
      // A 1x1 convolution in timm, a linear layer in torchvision.
      const int64_t pooled = features_.features();
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
    const torch::Tensor x = features_(input);
    return head_.weight.defined() ? Activated(head_(x), activation_) : x;
  }

 private:
  MobileFeatures features_;
  MobileActivation activation_;
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
