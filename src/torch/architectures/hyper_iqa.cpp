// HyperIQA (Su et al., "Blindly Assess Image Quality in the Wild Guided by a Self-Adaptive Hyper Network",
// CVPR 2020): a ResNet-50 whose last features make the weights of a small network, image by image, which
// judges features of all four stages.
//
// Layouts: the authors' (res.conv1, res.lda1_pool.0, fc1w_conv), whose published weights score from 0 to 100,
// and pyiqa's (base_model.conv1, lda_modules.0.0, fc_w_modules.0), from 0 to 1.
//
// It sees 224 x 224 pixels. The authors average over squares at random places, of the image brought to
// 384 x 512; here it is pyiqa's rule, which is the same in each run: 25 squares of the image as it is, on a
// grid.
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/resnet_stage.h"

namespace imgmill {
namespace {

constexpr size_t kStages = 4, kLayers = 5;
constexpr int kSide = 224, kGrid = 5;
/// Squares of features that the stages are averaged over.
constexpr int64_t kPool = 7;

/// What a layout calls the tensors, in order.
struct Plan {
  std::string backbone;
  std::array<std::string, kStages - 1> narrowed;  ///< convolutions behind all stages but the last
  std::array<std::string, kStages> judged;        ///< dense layers behind the pooling
  std::array<std::string, kLayers> weights, biases;
};

Plan Authors() {
  Plan plan;
  plan.backbone = "res.";
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string number = std::to_string(i + 1);
    if (i + 1 < kStages) plan.narrowed[i] = "res.lda" + number + "_pool.0";
    if (i < kStages) plan.judged[i] = "res.lda" + number + "_fc";
    plan.weights[i] = "fc" + number + (i + 1 < kLayers ? "w_conv" : "w_fc");
    plan.biases[i] = "fc" + number + "b_fc";
  }
  return plan;
}

Plan Pyiqa() {
  Plan plan;
  plan.backbone = "base_model.";
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string number = std::to_string(i);
    if (i + 1 < kStages) plan.narrowed[i] = "lda_modules." + number + ".0";
    if (i < kStages) plan.judged[i] = "lda_modules." + number + (i + 1 < kStages ? ".3" : ".2");
    plan.weights[i] = "fc_w_modules." + number + (i + 1 < kLayers ? "" : ".2");
    plan.biases[i] = "fc_b_modules." + number + ".2";
  }
  return plan;
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (const Plan& layout : {Authors(), Pyiqa()}) {
    const auto has = [&](const std::string& name) { return weights.Find(name + ".weight") != nullptr; };
    if (!has(layout.backbone + "layer4.0.conv1") || !has(layout.narrowed[0]) || !has(layout.weights[0]))
      continue;
    plan = layout;
    return true;
  }
  return false;
}

class HyperIqa final : public EmbedNet {
 public:
  HyperIqa(const Plan& plan, Layers& layers) : stem_(plan.backbone + "conv1", plan.backbone + "bn1", layers) {
    const auto outputs = [&](const std::string& name) { return layers.Outputs(name + ".weight"); };
    int64_t features = stem_.features(), judged = 0;
    for (size_t i = 0; i < kStages; ++i) {
      stages_[i] =
          ResNetStage(plan.backbone + "layer" + std::to_string(i + 1) + ".", features, i > 0 ? 2 : 1, layers);
      features = stages_[i].features();
      int64_t pooled = features;
      if (i < narrowed_.size()) {
        // Of 224 pixels a stage has 56, 28, 14 and 7 each way: as many squares of 7 as are pooled.
        const int64_t squares = int64_t{kSide} / 4 / kPool >> i;
        const int64_t narrow = outputs(plan.narrowed[i]);
        narrowed_[i] = layers.Conv(plan.narrowed[i], narrow, features, {.side = 1, .bias = false});
        pooled = narrow * squares * squares;
      }
      judged_[i] = layers.Dense(plan.judged[i], outputs(plan.judged[i]), pooled);
      judged += outputs(plan.judged[i]);
    }
    for (size_t i = 0; i < made_of_.size(); ++i) {
      const std::string name = "conv1." + std::to_string(2 * i);
      made_of_[i] = layers.Conv(name, outputs(name), features, 1);
      features = outputs(name);
    }
    for (size_t i = 0; i < kLayers; ++i) {
      const int64_t out = outputs(plan.biases[i]);
      biases_[i] = layers.Dense(plan.biases[i], out, features);
      if (i < weights_.size()) {
        weights_[i] = layers.Conv(plan.weights[i], judged * out / (kPool * kPool), features);
      } else {
        last_weight_ = layers.Dense(plan.weights[i], judged, features);
      }
      judged = out;
    }
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = stem_(input);
    std::vector<torch::Tensor> parts;
    for (size_t i = 0; i < kStages; ++i) {
      x = stages_[i](x);
      const torch::Tensor pooled =
          torch::avg_pool2d(i < narrowed_.size() ? narrowed_[i](x) : x, kPool, kPool);
      parts.push_back(judged_[i](pooled.flatten(1)));
    }
    torch::Tensor judged = torch::cat(parts, 1);
    for (const Convolution& layer : made_of_) x = layer(x).relu_();
    const torch::Tensor mean = x.mean({2, 3});
    for (size_t i = 0; i < kLayers; ++i) {
      const torch::Tensor bias = biases_[i](mean);
      const torch::Tensor made = i < weights_.size() ? weights_[i](x) : last_weight_(mean);
      const torch::Tensor weight = made.reshape({bias.size(0), bias.size(1), judged.size(1)});
      judged = torch::matmul(weight, judged.unsqueeze(2)).squeeze(2) + bias;
      if (i < weights_.size()) judged.sigmoid_();
    }
    return judged;
  }

 private:
  ResNetStem stem_;
  std::array<ResNetStage, kStages> stages_;
  std::array<Convolution, kStages - 1> narrowed_;
  std::array<Linear, kStages> judged_;
  std::array<Convolution, 3> made_of_;
  std::array<Convolution, kLayers - 1> weights_;
  Linear last_weight_;
  std::array<Linear, kLayers> biases_;
};

class HyperIqaArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "HyperIQA"; }
  std::string_view known_by() const override { return "HyperIQA, of its authors or of pyiqa"; }
  ModelTask task() const override { return ModelTask::kScore; }

  std::vector<Telltales> telltales() const override {
    return {{"res.layer4.0.conv1.weight", "res.lda1_pool.0.weight", "fc1w_conv.weight"},
            {"base_model.layer4.0.conv1.weight", "lda_modules.0.0.weight", "fc_w_modules.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.score = "hyperiqa";
    ModelInput input = ImageNetInput(kSide, 0, ResizeFilter::kTriangle);
    input.rule = SquareRule::kGrid;
    input.grid = kGrid;
    return LoadEmbedLayers<HyperIqa>(plan, input, std::move(info), std::move(weights));
  }
};

const HyperIqaArchitecture instance;

}  // namespace

extern const Architecture& kHyperIqa;
const Architecture& kHyperIqa = instance;

}  // namespace imgmill
