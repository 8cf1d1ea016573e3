// SeemoRe (Zamfir et al., "See More Details: Efficient Image Super-Resolution by Experts Mining", 2024):
// blocks of which one looks near, with one of several small experts that a mean over the image chooses, and
// one looks far along rows and columns.
//
// Weights: conv_1, body.0.local_block.block.moe_layer.experts.0.conv_1,
// body.0.global_block.block.attn.conv.0, norm, conv_2, upsampler.0. The shapes tell neither whether channels
// are shuffled nor how often an image is made smaller by four before it is weighed: all of the authors'
// networks shuffle and do it twice, but for the largest.
#include <array>
#include <string>
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of DIV2K
constexpr double kEpsilon = 1e-6;
constexpr int kSmaller = 4;
constexpr int kLeast = 16;  ///< side that smaller images are continued to

struct Plan {
  int features = 0, layers = 0, experts = 0;
  int scale = 0;
  int64_t reach = 0;  ///< side of the kernels that look far
  bool shuffles = true;
  int times = 2;  ///< that a map is made smaller
};

std::string Layer(int number) {
  return "body." + std::to_string(number);
}

std::string ExpertName(int layer, int number) {
  return Layer(layer) + ".local_block.block.moe_layer.experts." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv_1.weight");
  const WeightTensor* last = weights.Find("upsampler.0.weight");
  const WeightTensor* far = weights.Find("body.0.global_block.block.attn.conv.0.weight");
  if (first == nullptr || last == nullptr || far == nullptr || first->dim(1) != 3) return false;
  plan.features = static_cast<int>(first->dim(0));
  plan.reach = far->dim(3);
  plan.scale = ShuffleScale(last->dim(0));
  plan.layers = CountOf(weights, 0, [](int i) { return Layer(i) + ".local_block.norm_1.weight"; });
  plan.experts = CountOf(weights, 0, [](int i) { return ExpertName(0, i) + ".conv_1.weight"; });
  constexpr int kLargeLayers = 16, kLargeFeatures = 48;
  if (plan.layers == kLargeLayers && plan.features == kLargeFeatures) {
    plan.shuffles = false;
    plan.times = 1;
  }
  return plan.scale > 0 && plan.layers > 0 && plan.experts > 0 && plan.reach % 2 == 1;
}

/// Rows of a convolution in another order.
ConvWeights InOrder(const ConvWeights& conv, const std::vector<int64_t>& rows) {
  if (!conv.weight.defined() || !conv.bias.defined()) return {};
  const auto ordered = [&](const Values& values) {
    std::vector<Values> each;
    for (const int64_t row : rows) each.push_back(values.Some(0, row, 1));
    return Values::Joined(each);
  };
  ConvWeights some = conv;
  some.weight = ordered(conv.weight);
  some.bias = ordered(conv.bias);
  return some;
}

Values One() {
  Buffer floats(sizeof(float));
  *reinterpret_cast<float*>(floats.data()) = 1.0f;
  return {{1}, std::move(floats)};
}

/// All experts as one, whose channels are those of each, and one more of each that is 1 throughout: its
/// factor on the way out is the expert's bias.
class Experts {
 public:
  Experts(LayerWeights& layers, const std::string& name, const Plan& plan) {
    const int features = plan.features;
    for (int e = 0; e < plan.experts; ++e) {
      const std::string expert = name + std::to_string(e);
      const int few = static_cast<int>(layers.Outputs(expert + ".conv_1.weight"));
      widths_.push_back(few + 1);
      AddIn(layers.Conv(expert + ".conv_1", few, features, 1), seen_);
      AddIn(layers.Conv(expert + ".conv_2", few, features, 1), weighed_);
      const ConvWeights out = layers.Conv(expert + ".conv_3", features, few, 1);
      if (!out.weight.defined() || !out.bias.defined()) continue;
      out_.push_back(out.weight.InOrder({1, 0, 2, 3}));
      out_.push_back(out.bias.As({1, features, 1, 1}));
    }
    whole_ = out_.size() == 2 * widths_.size();
  }

  const std::vector<int>& widths() const { return widths_; }
  ConvWeights seen() const { return whole_ ? In(seen_) : ConvWeights(); }
  ConvWeights weighed() const { return whole_ ? In(weighed_) : ConvWeights(); }
  ConvWeights out() const {
    ConvWeights all;
    if (whole_) all.weight = Values::Joined(out_).InOrder({1, 0, 2, 3});
    return all;
  }

 private:
  struct Rows {
    std::vector<Values> weights, biases;
  };
  static void AddIn(const ConvWeights& conv, Rows& rows) {
    if (!conv.weight.defined() || !conv.bias.defined()) return;
    rows.weights.push_back(conv.weight);
    rows.weights.push_back(Values::Zeros({1, conv.weight.side(1), 1, 1}));
    rows.biases.push_back(conv.bias);
    rows.biases.push_back(One());
  }
  static ConvWeights In(const Rows& rows) {
    ConvWeights all;
    all.weight = Values::Joined(rows.weights);
    all.bias = Values::Joined(rows.biases);
    return all;
  }

  std::vector<int> widths_;
  Rows seen_, weighed_;
  std::vector<Values> out_;
  bool whole_ = false;
};

class SeemoReGraph {
 public:
  SeemoReGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan),
        graph_(weights,
               {.mean = {kMean.begin(), kMean.end()}, .least = kLeast, .continued = Continuation::kMirror}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    const FeatureMap first = graph_.Conv("conv_1", plan_.features, {graph_.input()});
    FeatureMap x = first;
    for (int i = 0; i < plan_.layers; ++i) {
      x = Near(Layer(i) + ".local_block", x);
      x = Far(Layer(i) + ".global_block", x);
    }
    x = graph_.Conv("conv_2", plan_.features, {Normalized("norm", x)}, {.added = {{first, 1.0f}}});
    ConvWeights last = graph_.layers().Conv("upsampler.0", 3 * plan_.scale * plan_.scale, plan_.features, 3);
    if (last.bias.defined()) last.bias = WithMean(last.bias);
    return graph_.Finish({.map = graph_.Conv(last, {x}), .shuffle = plan_.scale});
  }

 private:
  static inline const GraphEnd kGelu = {.end = ConvEnd::kGelu};

  /// To each band's values, its mean.
  static Values WithMean(const Values& bias) {
    Buffer floats(static_cast<size_t>(bias.count()) * sizeof(float));
    for (int64_t i = 0; i < bias.count(); ++i)
      reinterpret_cast<float*>(floats.data())[i] =
          bias.data()[i] + kMean[static_cast<size_t>(3 * i / bias.count())];
    return {bias.shape(), std::move(floats)};
  }

  /// The one that looks near. A mean over the image chooses one expert.
  FeatureMap Near(const std::string& name, const FeatureMap& input) {
    const std::string block = name + ".block.";
    LayerWeights& layers = graph_.layers();
    const int features = plan_.features;
    const FeatureMap first =
        graph_.Conv(block + "conv_1.0", features, {Normalized(name + ".norm_1", input)}, kGelu);
    const ConvWeights both = layers.Conv(block + "conv_1.2", 2 * features, features, 1);
    const FeatureMap x = Striped(block + "conv_2.0", 3, graph_.Conv(Half(both, 0), {first}), kGelu);
    const FeatureMap other = graph_.Conv(Half(both, 1), {first});
    const FeatureMap small = Smaller(block, other);
    // One expert's share, and no other's.
    const ConvWeights chooser =
        layers.Pointwise(block + "moe_layer.gate.body.2", plan_.experts, features, /*bias=*/false);
    const Experts experts(layers, block + "moe_layer.experts.", plan_);
    const FeatureMap share = graph_.BestShare(graph_.Conv(chooser, {graph_.Mean(x)}), experts.widths());
    const FeatureMap around = graph_.Resized(small, other, Resizing::kBilinear, {{other, 1.0f}});
    FeatureMap asked =
        graph_.Product(graph_.Conv(experts.seen(), {x}), graph_.Conv(experts.weighed(), {around}));
    asked = graph_.Conv(experts.out(), {graph_.Scaled(asked, share, {}, {})}, {.added = {{x, 1.0f}}});
    return Inner(name, graph_.Conv(block + "proj", features, {asked}, {.added = {{input, 1.0f}}}, 1));
  }

  /// What is weighed, at a small size.
  FeatureMap Smaller(const std::string& block, const FeatureMap& from) {
    const int64_t features = plan_.features;
    LayerWeights& layers = graph_.layers();
    const ConvWeights smaller =
        layers.Conv(block + "agg_conv.0", features, features,
                    {.side = kSmaller, .stride = kSmaller, .groups = features, .padding = 0});
    FeatureMap x = from;
    for (int i = 0; i < plan_.times; ++i)
      x = graph_.Function(graph_.Strided(smaller, x, kSmaller), MapFunction::kGelu);
    x = graph_.Depthwise(layers.Conv(block + "conv.0", features, features, {.groups = features}), x);
    return graph_.Conv(block + "conv.1", plan_.features, {x}, {}, 1);
  }

  /// One half of what comes out: of channels 0, 1, 2, ... of both, one after the other, where they are
  /// shuffled.
  ConvWeights Half(const ConvWeights& both, int64_t half) const {
    const int64_t features = plan_.features;
    if (!plan_.shuffles) return both.Some(half * features, features);
    std::vector<int64_t> rows;
    for (int64_t i = half * features; i < (half + 1) * features; ++i)
      rows.push_back(i % 2 * features + i / 2);
    return InOrder(both, rows);
  }

  /// The one that looks far.
  FeatureMap Far(const std::string& name, const FeatureMap& input) {
    const std::string block = name + ".block.";
    const FeatureMap x = Normalized(name + ".norm_1", input);
    const Halves halves = InHalves(block + "to_qv.0", x);
    const FeatureMap seen =
        graph_.Product(Striped(block + "attn", plan_.reach, halves.first, {}), halves.rest);
    return Inner(name, graph_.Conv(block + "proj", plan_.features, {seen}, {.added = {{input, 1.0f}}}, 1));
  }

  /// Halves of which one is weighed by the other's neighbourhood.
  FeatureMap Inner(const std::string& name, const FeatureMap& input) {
    const std::string block = name + ".ffn.";
    const int64_t features = plan_.features;
    const Halves halves = InHalves(block + "fn_1.0", Normalized(name + ".norm_2", input));
    const ConvWeights gate = graph_.layers().Conv(block + "gate", features, features, {.groups = features});
    return graph_.Conv(block + "fn_2.0", plan_.features,
                       {graph_.Product(graph_.Depthwise(gate, halves.rest), halves.first)},
                       {.end = ConvEnd::kGelu, .added = {{input, 1.0f}}}, 1);
  }

  using Halves = GraphBuilder::Parts;
  Halves InHalves(const std::string& name, const FeatureMap& x) {
    const ConvWeights both = graph_.layers().Conv(name, 2 * plan_.features, plan_.features, 1);
    return graph_.Split(both, x, plan_.features, kGelu);
  }

  FeatureMap Normalized(const std::string& name, const FeatureMap& x) {
    return graph_.Normalized(graph_.layers().Norm(name, plan_.features, kEpsilon), x);
  }

  /// `name`.conv.0 along rows and `name`.conv.1 along columns, each channel by itself.
  FeatureMap Striped(const std::string& name, int64_t side, const FeatureMap& x, const GraphEnd& end) {
    const int64_t features = plan_.features;
    LayerWeights& layers = graph_.layers();
    const ConvWeights along =
        layers.Conv(name + ".conv.0", features, features, {.side = 1, .width = side, .groups = features});
    const ConvWeights down =
        layers.Conv(name + ".conv.1", features, features, {.side = side, .width = 1, .groups = features});
    return graph_.Depthwise(down, graph_.Depthwise(along, x), end);
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return SeemoReGraph(plan, weights).Finish();
}

class SeemoRe final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "SeemoRe"; }
  std::string_view known_by() const override { return "SeemoRe_T_X4, SeemoRe_B_X4, SeemoRe_L_X4"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_1.weight", "body.0.local_block.block.moe_layer.experts.0.conv_1.weight",
             "body.0.global_block.block.attn.conv.0.weight", "norm.weight", "upsampler.0.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = kLeast;
    parts.overlap = kOverlap;
    return CheckKernelSide("a SeemoRe", plan.reach);
  }

 private:
  static constexpr int kOverlap = 64;
};

const SeemoRe instance;

}  // namespace

extern const GraphArchitecture& kSeemoRe;
const GraphArchitecture& kSeemoRe = instance;

}  // namespace imgmill
