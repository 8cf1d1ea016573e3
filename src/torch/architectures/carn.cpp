// CARN and CARN-M (Ahn et al., "Fast, Accurate, and Lightweight Super-Resolution with Cascading Residual
// Network", 2018): residual units in blocks of three, and three blocks, each of which sees all before it
// through a 1x1 layer. In CARN-M the convolutions are in groups and the three units of a block are one.
//
// Weights: sub_mean.shifter, entry, bI.bJ.body.K, bI.cJ.body.0, cI.body.0, upsample.upS.body.K for each scale
// S that the file was trained for (upsample.up where it is one alone), exit, add_mean.shifter.
#include <algorithm>
#include <array>

#include "base/usage_error.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/joined_conv.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr size_t kSteps = 3;  // of a cascade

/// Layers that enlarge: one of the scales that the file is for.
struct Tail {
  std::string name;
  std::vector<int64_t> factors;  ///< of one convolution and pixel shuffle after the other

  int scale() const {
    int64_t product = 1;
    for (const int64_t factor : factors) product *= factor;
    return static_cast<int>(product);
  }
};

struct Plan {
  int64_t features = 0;
  int64_t groups = 1;       ///< of the units' convolutions
  int64_t tail_groups = 1;  ///< of those that enlarge
  bool pointwise = false;   ///< a unit ends with a 1x1 convolution
  bool shared = false;      ///< a block has one unit, three times
  std::vector<Tail> tails;  ///< by scale
  size_t tail = 0;          ///< the one that is used
};

std::string Numbered(const std::string& name, size_t index) {
  return name + std::to_string(index + 1);
}

/// Reads the factors off `name`.body.0, 3, 6. False where there is no such tail, or of a scale that none has.
bool ReadTail(const StateDict& weights, Plan& plan, const std::string& name) {
  Tail tail{name, {}};
  for (int layer = 0;; layer += 3) {
    const WeightTensor* weight = weights.Find(name + ".body." + std::to_string(layer) + ".weight");
    if (weight == nullptr) break;
    const int factor = ShuffleScale(weight->dim(0), static_cast<int>(plan.features));
    if (factor < 2 || factor > 3 || weight->dim(1) < 1 || plan.features % weight->dim(1) != 0) return false;
    plan.tail_groups = plan.features / weight->dim(1);
    tail.factors.push_back(factor);
  }
  if (tail.factors.empty() || tail.scale() > 8) return false;
  plan.tails.push_back(std::move(tail));
  return true;
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* entry = weights.Find("entry.weight");
  const WeightTensor* unit = weights.Find("b1.b1.body.0.weight");
  if (entry == nullptr || unit == nullptr || weights.Find("b3.c3.body.0.weight") == nullptr ||
      weights.Find("sub_mean.shifter.weight") == nullptr || weights.Find("exit.weight") == nullptr) {
    return false;
  }
  plan.features = entry->dim(0);
  if (plan.features < 1 || plan.features > 1024 || unit->dim(1) < 1 || plan.features % unit->dim(1) != 0)
    return false;
  plan.groups = plan.features / unit->dim(1);
  plan.pointwise = weights.Find("b1.b1.body.4.weight") != nullptr;
  plan.shared = weights.Find("b1.b2.body.0.weight") == nullptr;
  for (const char* name : {"upsample.up", "upsample.up2", "upsample.up3", "upsample.up4", "upsample.up8"})
    ReadTail(weights, plan, name);
  std::sort(plan.tails.begin(), plan.tails.end(),
            [](const Tail& one, const Tail& other) { return one.scale() < other.scale(); });
  if (plan.tails.empty()) return false;
  plan.tail = plan.tails.size() - 1;
  return true;
}

/// Rows of features that are enlarged at once, and those above and below that they are seen with: the first
/// convolution reaches one pixel further, those behind it half of one or less each.
constexpr int64_t kBandRows = 16;
constexpr int64_t kBandContext = 2;

/// At the peak, beside input and output: what the blocks gave, what a block's units gave, and four maps of a
/// unit; or the features, and of a band what the last convolution to enlarge gave, in two orders.
size_t BytesFor(const Plan& plan, int64_t height, int64_t width) {
  const int64_t scale = plan.tails[plan.tail].scale();
  const int64_t body = height * width * plan.features * (2 * static_cast<int64_t>(kSteps + 1) + 5);
  const int64_t rows = std::min(height, kBandRows + 2 * kBandContext);
  const int64_t band = (height + 3 * scale * scale * rows) * width * plan.features;
  return static_cast<size_t>(std::max(body, band)) * sizeof(float);
}

/// Two convolutions, perhaps a 1x1 one behind them, and the input added.
class Unit {
 public:
  Unit(const Plan& plan, Layers& layers, const std::string& name) {
    const ConvShape grouped{.groups = plan.groups};
    for (const char* layer : {".body.0", ".body.2"})
      layers_.push_back(layers.Conv(name + layer, plan.features, plan.features, grouped));
    if (plan.pointwise) layers_.push_back(layers.Conv(name + ".body.4", plan.features, plan.features, 1));
  }
  torch::Tensor operator()(const torch::Tensor& input) const {
    torch::Tensor x = input;
    for (size_t i = 0; i < layers_.size(); ++i) {
      x = layers_[i](x);
      if (i + 1 < layers_.size()) x.relu_();
    }
    return x.add_(input).relu_();
  }

 private:
  std::vector<Convolution> layers_;
};

/// Three steps of one kind. Each is given what a 1x1 layer makes of the input and all steps before it.
template <typename Step>
class Cascade {
 public:
  /// @param name  before "b1" and "c1"
  Cascade(const Plan& plan, Layers& layers, const std::string& name, bool shared) {
    for (size_t i = 0; i < kSteps; ++i) {
      if (i == 0 || !shared) steps_.emplace_back(plan, layers, Numbered(name + "b", i));
      const int64_t inputs = static_cast<int64_t>(i + 2) * plan.features;
      joined_[i] = layers.Conv(Numbered(name + "c", i) + ".body.0", plan.features, inputs, 1);
    }
  }
  /// A block of a cascade of blocks.
  Cascade(const Plan& plan, Layers& layers, const std::string& name)
      : Cascade(plan, layers, name + ".", plan.shared) {}

  torch::Tensor operator()(const torch::Tensor& input) const {
    std::vector<JoinedConv> sums(joined_.begin(), joined_.end());
    for (JoinedConv& sum : sums) sum.Add(input);
    torch::Tensor x = input;
    for (size_t i = 0; i < kSteps; ++i) {
      x = steps_[std::min(i, steps_.size() - 1)](x);
      for (size_t later = i; later < kSteps; ++later) sums[later].Add(x);
      x = sums[i].Take().relu_();
    }
    return x;
  }

 private:
  std::vector<Step> steps_;
  std::array<Convolution, kSteps> joined_;
};

class CarnNet final : public UpscaleNet {
 public:
  CarnNet(const Plan& plan, Layers& layers)
      : less_mean_(layers.Conv("sub_mean.shifter", 3, 3, 1)),
        entry_(layers.Conv("entry", plan.features, 3)),
        body_(plan, layers, "", false),
        exit_(layers.Conv("exit", 3, plan.features)),
        mean_(layers.Conv("add_mean.shifter", 3, 3, 1)) {
    for (size_t t = 0; t < plan.tails.size(); ++t) {
      const Tail& tail = plan.tails[t];
      for (size_t i = 0; i < tail.factors.size(); ++i) {
        const std::string name = tail.name + ".body." + std::to_string(3 * i);
        const int64_t out = plan.features * tail.factors[i] * tail.factors[i];
        if (t == plan.tail) {
          ups_.emplace_back(layers.Conv(name, out, plan.features, ConvShape{.groups = plan.tail_groups}),
                            tail.factors[i]);
        } else {
          layers.PassOver(name + ".weight");
          layers.PassOver(name + ".bias");
        }
      }
    }
    scale_ = plan.tails[plan.tail].scale();
  }

  torch::Tensor forward(torch::Tensor input) override { return Enlarged(body_(entry_(less_mean_(input)))); }

 private:
  /// The layers that enlarge, a band of rows at a time: for each pixel of the input there are as many of all
  /// features as the output has.
  torch::Tensor Enlarged(const torch::Tensor& features) const {
    const int64_t height = features.size(2);
    torch::Tensor output =
        torch::empty({features.size(0), 3, height * scale_, features.size(3) * scale_}, features.options());
    for (int64_t top = 0; top < height; top += kBandRows) {
      const int64_t rows = std::min(kBandRows, height - top);
      const int64_t first = std::max<int64_t>(0, top - kBandContext);
      torch::Tensor x = features.slice(2, first, std::min(height, top + rows + kBandContext));
      for (const auto& [conv, factor] : ups_) x = torch::pixel_shuffle(conv(x).relu_(), factor);
      x = mean_(exit_(x));
      output.narrow(2, top * scale_, rows * scale_).copy_(x.narrow(2, (top - first) * scale_, rows * scale_));
    }
    return output;
  }

  Convolution less_mean_, entry_;
  Cascade<Cascade<Unit>> body_;
  std::vector<std::pair<Convolution, int64_t>> ups_;
  Convolution exit_, mean_;
  int64_t scale_ = 0;
};

/// The network on our own kernels.
class CarnGraph {
 public:
  CarnGraph(const Plan& plan, const StateDict& weights)
      : plan_(plan), features_(static_cast<int>(plan.features)), graph_(weights, {}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    FeatureMap x = graph_.Conv("sub_mean.shifter", 3, {graph_.input()}, {}, 1);
    x = graph_.Conv("entry", features_, {x});
    x = Cascaded(x, "", [this](const FeatureMap& from, size_t step) {
      const std::string block = Numbered("b", step) + ".";
      return Cascaded(from, block, [&](const FeatureMap& inner, size_t unit) {
        return Unit(inner, Numbered(block + "b", plan_.shared ? 0 : unit));
      });
    });
    x = graph_.Conv("exit", 3, Enlarged(x));
    return graph_.Finish({.map = graph_.Conv("add_mean.shifter", 3, {x}, {}, 1)});
  }

 private:
  static constexpr float kRelu = 0;

  FeatureMap Unit(const FeatureMap& input, const std::string& name) {
    const GraphEnd relu = {.slope = kRelu};
    const GraphEnd sum = {.slope = kRelu, .end = ConvEnd::kSumSlope, .added = {{input, 1.0f}}};
    std::vector<FeatureMap> x = graph_.Grouped(GroupedConv(name + ".body.0"), {input}, relu);
    if (plan_.pointwise) {
      x = graph_.Grouped(GroupedConv(name + ".body.2"), x, relu);
      return graph_.Conv(name + ".body.4", features_, x, sum, 1);
    }
    return graph_.Ungrouped(GroupedConv(name + ".body.2"), x, sum);
  }
  Convolution GroupedConv(const std::string& name) {
    return graph_.layers().Conv(name, plan_.features, plan_.features, ConvShape{.groups = plan_.groups});
  }

  /// Three steps, each of what a 1x1 layer makes of the input and all steps before it.
  /// @param step  step(input, number)
  template <typename Step>
  FeatureMap Cascaded(const FeatureMap& input, const std::string& name, const Step& step) {
    std::vector<FeatureMap> seen = {input};
    FeatureMap x = input;
    for (size_t i = 0; i < kSteps; ++i) {
      seen.push_back(step(x, i));
      x = graph_.Conv(Numbered(name + "c", i) + ".body.0", features_, seen, {.slope = kRelu}, 1);
    }
    return x;
  }

  std::vector<FeatureMap> Enlarged(const FeatureMap& from) {
    std::vector<FeatureMap> x = {from};
    for (size_t t = 0; t < plan_.tails.size(); ++t) {
      const Tail& tail = plan_.tails[t];
      for (size_t i = 0; i < tail.factors.size(); ++i) {
        const std::string name = tail.name + ".body." + std::to_string(3 * i);
        if (t != plan_.tail) {
          graph_.layers().PassOver(name + ".weight");
          graph_.layers().PassOver(name + ".bias");
          continue;
        }
        const int64_t out = plan_.features * tail.factors[i] * tail.factors[i];
        x = graph_.Grouped(
            graph_.layers().Conv(name, out, plan_.features, ConvShape{.groups = plan_.tail_groups}), x,
            {.slope = kRelu}, GraphShuffle{.side = static_cast<int>(tail.factors[i])});
      }
    }
    return x;
  }

  const Plan& plan_;
  const int features_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return CarnGraph(plan, weights).Finish();
}

class CarnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "CARN"; }
  std::string_view known_by() const override { return "CARN, CARN-M"; }

  std::vector<Telltales> telltales() const override {
    return {{"entry.weight", "b1.b1.body.0.weight", "b3.c3.body.0.weight", "exit.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    if (info.wanted_scale > 0) {
      const auto wanted = std::find_if(plan.tails.begin(), plan.tails.end(),
                                       [&](const Tail& tail) { return tail.scale() == info.wanted_scale; });
      if (wanted == plan.tails.end()) return NoSuchScale(plan);
      plan.tail = static_cast<size_t>(wanted - plan.tails.begin());
    }
    info.scale = plan.tails[plan.tail].scale();
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    RunOnKernels(parts, plan, GraphOf);
    parts.module_tile = kModuleTile;
    parts.bytes = [plan](int height, int width) { return BytesFor(plan, height, width); };
    return LoadLayers<CarnNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kModuleTile = 256;  // a batch of one fits 512 MiB beside an image

  static Error NoSuchScale(const Plan& plan) {
    std::string scales;
    for (size_t t = 0; t < plan.tails.size(); ++t) {
      if (t > 0) scales += t + 1 == plan.tails.size() ? " or " : ", ";
      scales += std::to_string(plan.tails[t].scale());
    }
    return UsageError("--scale does not fit: this model enlarges " + scales + " times");
  }
};

const CarnArchitecture instance;

}  // namespace

extern const Architecture& kCarn;
const Architecture& kCarn = instance;

}  // namespace imgmill
