// SRVGGNetCompact (Real-ESRGAN's "compact" network; realesr-animevideov3 and realesr-general are such): 3x3
// convolutions with PReLU at the input's size, one to bands * scale * scale channels, pixel shuffle, and the
// input enlarged by nearest neighbour added. Weights: body.0.weight, body.0.bias, body.1.weight (PReLU),
// body.2.weight, ...
#include "base/counted.h"
#include "base/try.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

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

/// By the first layers and those that are there; building names what is wrong with the others.
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

/// ReLU and LeakyReLU leave no weights, so that only the file's metadata can tell which it is.
Result<Plan> FullPlan(const StateDict& weights) {
  Plan plan;
  if (!ReadPlan(weights, plan)) return WeightError("it is not an SRVGGNetCompact");
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

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  GraphBuilder graph(weights, {.bands = plan.bands});
  FeatureMap x = graph.input();
  for (int i = 0; i + 1 < plan.convolutions; ++i) {
    GraphEnd end = {.slope = plan.activation == Activation::kLeakyRelu ? kLeakySlope : 0};
    if (plan.activation == Activation::kPRelu)
      end.slopes = graph.layers().Parameter(Name(2 * i + 1, "weight"), {plan.features});
    x = graph.Conv("body." + std::to_string(2 * i), plan.features, {x}, end);
  }
  const std::string last = "body." + std::to_string(2 * plan.convolutions - 2);
  if (plan.scale == 0) {
    return WeightError("its tensor " + last + ".weight gives " +
                       std::to_string(graph.layers().Outputs(last + ".weight")) +
                       " channels, which are no squares of pixels of " + Counted(plan.bands, "band"));
  }
  x = graph.Conv(last, plan.bands * plan.scale * plan.scale, {x});
  return graph.Finish({.map = x, .shuffle = plan.scale, .adds_input = InputAdded::kNearest});
}

class SrvggCompact final : public GraphArchitecture {
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

  Result<GraphNetworkParts> Load(const StateDict& weights, ModelInfo info) const override {
    const Plan plan = TRY(FullPlan(weights));
    GraphNetworkParts parts;
    parts.info = std::move(info);
    parts.graph = TRY(GraphOf(plan, weights));
    return parts;
  }
};

const SrvggCompact instance;

}  // namespace

extern const GraphArchitecture& kSrvggCompact;
const GraphArchitecture& kSrvggCompact = instance;

}  // namespace imgmill
