// LAION-5B's watermark detector (LAION-AI/LAION-5B-WatermarkDetection): how likely an image has a visible
// watermark, 0 to 1. An EfficientNet-B3 (Tan and Le, "EfficientNet: Rethinking Model Scaling for
// Convolutional Neural Networks", 2019) by timm, whose classifier has three layers, of which the last tells
// watermarked and clear images apart.
#include <optional>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/mobile_features.h"

namespace imgmill {
namespace {

constexpr int kSide = 256;  ///< that the authors show it
constexpr int64_t kClasses = 2, kWatermarked = 0;
constexpr const char* kFirst = "classifier.0";
constexpr const char* kSecond = "classifier.3";
constexpr const char* kLast = "classifier.5";

bool ReadPlan(const StateDict& weights, MobilePlan& plan) {
  for (const char* layer : {kFirst, kSecond, kLast}) {
    if (weights.Find(std::string(layer) + ".weight") == nullptr) return false;
  }
  const std::optional<MobilePlan> read = ReadEfficientNetPlan(weights);
  if (read) plan = *read;
  return read.has_value();
}

class WatermarkDetector final : public EmbedNet {
 public:
  WatermarkDetector(const MobilePlan& plan, Layers& layers) : features_(plan, layers) {
    int64_t inputs = features_.features();
    const auto dense = [&](const std::string& name) {
      const int64_t outputs = layers.Outputs(name + ".weight");
      const Linear layer = layers.Dense(name, outputs, inputs);
      inputs = outputs;
      return layer;
    };
    first_ = dense(kFirst);
    second_ = dense(kSecond);
    last_ = dense(kLast);
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    const torch::Tensor classes = last_(second_(first_(features_(input)).relu_()).relu_());
    return torch::softmax(classes, 1).narrow(1, kWatermarked, 1);
  }

 private:
  MobileFeatures features_;
  Linear first_, second_, last_;
};

class WatermarkArchitecture final : public PlannedArchitecture<MobilePlan, ReadPlan> {
 public:
  std::string_view name() const override { return "watermark detector"; }
  std::string_view known_by() const override { return "LAION-5B's watermark_model_v1"; }
  ModelTask task() const override { return ModelTask::kScore; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_stem.weight", "blocks.0.0.se.conv_reduce.weight", "conv_head.weight",
             "classifier.0.weight", "classifier.3.weight", "classifier.5.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(MobilePlan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    const int64_t classes = weights->Find(std::string(kLast) + ".weight")->dim(0);
    if (classes != kClasses) {
      return WeightError("its last layer, classifier.5, tells " + std::to_string(classes) +
                         " classes apart, not the two of watermarked and clear images");
    }
    info.score = "watermark";
    ModelInput input = ImageNetInput(kSide, 0, ResizeFilter::kTriangle);
    input.rule = SquareRule::kSquash;
    return LoadEmbedLayers<WatermarkDetector>(plan, input, std::move(info), std::move(weights));
  }
};

const WatermarkArchitecture instance;

}  // namespace

extern const Architecture& kWatermarkDetector;
const Architecture& kWatermarkDetector = instance;

}  // namespace imgmill
