// CARN and CARN-M (Ahn et al., "Fast, Accurate, and Lightweight Super-Resolution with Cascading Residual
// Network", 2018): residual units in blocks of three, and three blocks, each of which sees all before it
// through a 1x1 layer. In CARN-M the convolutions are in groups and the three units of a block are one.
//
// Weights: sub_mean.shifter, entry, bI.bJ.body.K, bI.cJ.body.0, cI.body.0, upsample.upS.body.K for each scale
// S that the file was trained for (upsample.up where it is one alone), exit, add_mean.shifter.
#include <algorithm>
#include <vector>

#include "base/usage_error.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

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
  ConvWeights GroupedConv(const std::string& name) {
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

class Carn final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "CARN"; }
  std::string_view known_by() const override { return "CARN, CARN-M"; }

  std::vector<Telltales> telltales() const override {
    return {{"entry.weight", "b1.b1.body.0.weight", "b3.c3.body.0.weight", "exit.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.libtorch_tile = kLibTorchTile;
    const int wanted_scale = parts.info.wanted_scale;
    if (wanted_scale == 0) return {};
    const auto wanted = std::find_if(plan.tails.begin(), plan.tails.end(),
                                     [&](const Tail& tail) { return tail.scale() == wanted_scale; });
    if (wanted == plan.tails.end()) return NoSuchScale(plan);
    plan.tail = static_cast<size_t>(wanted - plan.tails.begin());
    return {};
  }

 private:
  static constexpr int kLibTorchTile = 256;  // a batch of one fits 512 MiB beside an image

  static Error NoSuchScale(const Plan& plan) {
    std::string scales;
    for (size_t t = 0; t < plan.tails.size(); ++t) {
      if (t > 0) scales += t + 1 == plan.tails.size() ? " or " : ", ";
      scales += std::to_string(plan.tails[t].scale());
    }
    return UsageError("--scale does not fit: this model enlarges " + scales + " times");
  }
};

const Carn instance;

}  // namespace

extern const GraphArchitecture& kCarn;
const GraphArchitecture& kCarn = instance;

}  // namespace imgmill
