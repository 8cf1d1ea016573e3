// SRVGGNetCompact (Real-ESRGAN's "compact" network; realesr-animevideov3 and realesr-general are such): 3x3
// convolutions with PReLU at the input's size, one to bands * scale * scale channels, pixel shuffle, and the
// input enlarged by nearest neighbour added. Weights: body.0.weight, body.0.bias, body.1.weight (PReLU),
// body.2.weight, ...
#include <algorithm>

#include "base/try.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

enum class Activation { kPRelu, kRelu, kLeakyRelu };

constexpr float kLeakySlope = 0.1f;  // what the reference implementation has

/// The shape of a compact network, read off its tensors.
struct Plan {
  int convolutions = 0;  ///< all of them, first and last included
  int features = 0;
  int bands = 3;
  int scale = 0;
  Activation activation = Activation::kPRelu;
};

std::string Name(int index, const char* what) {
  return "body." + std::to_string(index) + "." + what;
}

/// By the first layers and those that are there; CheckTensors names what is wrong with the others.
bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("body.0.weight");
  const WeightTensor* second = weights.Find("body.2.weight");
  if (first == nullptr || second == nullptr || first->shape.size() != 4 || second->shape.size() != 4)
    return false;
  if (first->dim(2) != 3 || first->dim(3) != 3 || first->dim(0) < 1 || first->dim(0) > 1024) return false;
  plan.bands = first->dim(1) == 1 ? 1 : 3;
  plan.features = static_cast<int>(first->dim(0));
  plan.convolutions = CountOf(weights, 0, [](int i) { return Name(2 * i, "weight"); });
  const WeightTensor* last = weights.Find(Name(2 * (plan.convolutions - 1), "weight"));
  plan.scale = ShuffleScale(last->dim(0), plan.bands);
  const int slopes = CountOf(weights, 0, [](int i) { return Name(2 * i + 1, "weight"); });
  plan.activation = slopes > 0 ? Activation::kPRelu : Activation::kRelu;
  return true;
}

/// The first tensor that is missing, left over or of another shape.
Status CheckTensors(const Plan& plan, const StateDict& weights) {
  Layers layers(weights);
  for (int i = 0; i < plan.convolutions; ++i) {
    const bool last = i + 1 == plan.convolutions;
    const std::string name = "body." + std::to_string(2 * i);
    const int64_t outputs = last ? layers.Outputs(name + ".weight") : plan.features;
    layers.Conv(name, outputs, i == 0 ? plan.bands : plan.features);
    if (last && plan.scale == 0) {
      return WeightError("its tensor " + name + ".weight gives " + std::to_string(outputs) +
                         " channels, which are no squares of pixels of " + std::to_string(plan.bands) +
                         (plan.bands == 1 ? " band" : " bands"));
    }
    if (!last && plan.activation == Activation::kPRelu)
      layers.Parameter(Name(2 * i + 1, "weight"), {plan.features});
  }
  return layers.Finish();
}

/// ReLU and LeakyReLU leave no weights, so that only the file's metadata can tell which it is.
Result<Plan> FullPlan(const StateDict& weights) {
  Plan plan;
  if (!ReadPlan(weights, plan)) return WeightError("it is not an SRVGGNetCompact");
  TRY(CheckTensors(plan, weights));
  if (plan.activation == Activation::kPRelu) return plan;
  const auto told = weights.metadata.find("act_type");
  if (told != weights.metadata.end() && told->second == "relu") return plan;
  if (told != weights.metadata.end() && told->second == "leakyrelu") {
    plan.activation = Activation::kLeakyRelu;
    return plan;
  }
  return WeightError(
      "it is an SRVGGNetCompact without PReLU weights: save it as .safetensors with the metadata "
      "act_type = relu or leakyrelu, since its weights do not tell which");
}

class CompactNet final : public UpscaleNet {
 public:
  explicit CompactNet(const Plan& plan) : plan_(plan) {}

  /// The next convolution, and the slopes behind it (undefined where there are none).
  void Add(torch::Tensor weight, torch::Tensor bias, torch::Tensor slope) {
    layers_.push_back({std::move(weight), std::move(bias), std::move(slope)});
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor x = input;
    for (size_t i = 0; i < layers_.size(); ++i) {
      x = torch::conv2d(x, layers_[i].weight, layers_[i].bias, /*stride=*/1, /*padding=*/1);
      if (i + 1 < layers_.size()) x = Activate(std::move(x), layers_[i].slope);
    }
    x = torch::pixel_shuffle(x, plan_.scale);
    return x.add_(torch::upsample_nearest2d(input, {x.size(2), x.size(3)}));
  }

 private:
  struct Layer {
    torch::Tensor weight, bias, slope;
  };

  torch::Tensor Activate(torch::Tensor x, const torch::Tensor& slope) const {
    switch (plan_.activation) {
      case Activation::kRelu:
        return x.relu_();
      case Activation::kLeakyRelu:
        return torch::leaky_relu_(x, kLeakySlope);
      case Activation::kPRelu:
        break;
    }
    return torch::prelu(x, slope);
  }

  Plan plan_;
  std::vector<Layer> layers_;
};

Result<std::shared_ptr<UpscaleNet>> BuildNet(const Plan& plan, const StateDict& weights,
                                             const NetPlace& place) {
  auto net = std::make_shared<CompactNet>(plan);
  for (int i = 0; i < plan.convolutions; ++i) {
    Result<torch::Tensor> weight = ToTensor(*weights.Find(Name(2 * i, "weight")), place);
    if (!weight) return weight.error();
    torch::Tensor bias = TRY(ToTensor(*weights.Find(Name(2 * i, "bias")), place));
    torch::Tensor slope;
    if (plan.activation == Activation::kPRelu && i + 1 < plan.convolutions) {
      torch::Tensor slopes = TRY(ToTensor(*weights.Find(Name(2 * i + 1, "weight")), place));
      slope = std::move(slopes);
    }
    net->Add(weight->contiguous(torch::MemoryFormat::ChannelsLast), std::move(bias), std::move(slope));
  }
  return std::shared_ptr<UpscaleNet>(std::move(net));
}

/// The same on our own kernels.
Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = plan.bands});
  FeatureMap x = graph.input();
  for (int i = 0; i + 1 < plan.convolutions; ++i) {
    GraphEnd end = {.slope = plan.activation == Activation::kLeakyRelu ? kLeakySlope : 0};
    if (plan.activation == Activation::kPRelu)
      end.slopes = graph.layers().Parameter(Name(2 * i + 1, "weight"), {plan.features});
    x = graph.Conv("body." + std::to_string(2 * i), plan.features, {x}, end);
  }
  x = graph.Conv("body." + std::to_string(2 * plan.convolutions - 2), plan.bands * plan.scale * plan.scale,
                 {x});
  return graph.Finish({.map = x, .shuffle = plan.scale, .adds_input = true});
}

class SrvggCompact final : public Architecture {
 public:
  std::string_view name() const override { return "SRVGGNetCompact"; }
  std::string_view known_by() const override { return "realesr-animevideov3, realesr-general"; }

  std::vector<Telltales> telltales() const override {
    return {{"body.0.weight", "body.1.weight", "body.2.weight", "body.2.bias"}};
  }

  bool Matches(const StateDict& weights) const override {
    Plan plan;
    return ReadPlan(weights, plan);
  }

  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    Result<Plan> plan = FullPlan(*weights);
    if (!plan) return plan.error();
    UpscaleNetworkParts parts;
    info.scale = plan->scale;
    info.bands = plan->bands;
    parts.info = std::move(info);
    // A layer's input, output and the library's reordered copy; at the end the channels of all output pixels,
    // thrice.
    const int widest = std::max(3 * plan->features, plan->features + 3 * 3 * plan->scale * plan->scale);
    parts.bytes = [widest](int height, int width) {
      return static_cast<size_t>(widest) * sizeof(float) * static_cast<size_t>(height) *
             static_cast<size_t>(width);
    };
    parts.build = [plan = *plan](const StateDict& dict, const NetPlace& place) {
      return BuildNet(plan, dict, place);
    };
    RunOnKernels(parts, *plan, GraphOf);
    return MakeUpscaleNetwork(std::move(parts), std::move(weights));
  }
};

const SrvggCompact instance;

}  // namespace

extern const Architecture& kSrvggCompact;
const Architecture& kSrvggCompact = instance;

}  // namespace imgmill
