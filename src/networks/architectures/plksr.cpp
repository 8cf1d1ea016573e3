// PLKSR (Lee et al., "Partial Large Kernel CNNs for Efficient Super-Resolution", 2024) and RealPLKSR, which
// many models were trained as after it: blocks that mix channels, look far with one large kernel on some of
// the channels, weigh each value, and mix again; the input added; pixel shuffle, or DySample.
//
// Key layouts: feats.N.channe_mixer (spelled so) with lk.conv, lk.convs.N or lk.mn_conv is PLKSR;
// feats.N.channel_mixer is RealPLKSR, with a group norm at a block's end (feats.N.norm) or a layer norm at
// its begin (feats.N.layer_norm); to_img.init_pos tells DySample.
#include <algorithm>
#include <cstring>
#include <string>

#include "base/try.h"
#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

/// How the large kernel is put together. All are added up to one.
enum class Kernel { kOne, kDilated, kRectangles };

constexpr int kDilatedKernels = 4;  // of 5x5, 1 to 4 pixels apart: shapes tell neither number nor distance
constexpr int kNormGroups = 4;      // leaves no trace, either
constexpr double kEpsilon = 1e-6;

struct Plan {
  int features = 0, blocks = 0;
  int scale = 0;
  bool real = false;
  int64_t first_side = 3, second_side = 3;  ///< of the kernels that mix channels
  Kernel kernel = Kernel::kOne;
  int64_t far = 0;   ///< channels with the large kernel
  int64_t side = 0;  ///< of it
  bool weighs = false;
  bool layer_norm = false;
  bool dy_sample = false;

  bool group_norm() const { return real && !layer_norm; }
};

std::string Block(int number) {
  return "feats." + std::to_string(number + 1) + ".";
}

bool ReadPlan(const StateDict& weights, bool real, Plan& plan) {
  const std::string mixer = Block(0) + (real ? "channel_mixer." : "channe_mixer.");
  const WeightTensor* first = weights.Find("feats.0.weight");
  const WeightTensor* wide = weights.Find(mixer + "0.weight");
  const WeightTensor* narrow = weights.Find(mixer + "2.weight");
  if (first == nullptr || wide == nullptr || narrow == nullptr) return false;
  const WeightTensor* far = nullptr;
  for (const auto& [kernel, name] : {std::pair{Kernel::kOne, "lk.conv.weight"},
                                     {Kernel::kDilated, "lk.convs.0.weight"},
                                     {Kernel::kRectangles, "lk.mn_conv.weight"}}) {
    if (far != nullptr) break;
    far = weights.Find(Block(0) + name);
    plan.kernel = kernel;
  }
  if (far == nullptr || (real && plan.kernel != Kernel::kOne)) return false;
  plan.real = real;
  plan.features = static_cast<int>(first->dim(0));
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + "refine.weight"; });
  plan.first_side = wide->dim(2);
  plan.second_side = narrow->dim(2);
  plan.far = far->dim(0);
  plan.side = plan.kernel == Kernel::kDilated ? 4 * kDilatedKernels + 1 : far->dim(2);
  plan.weighs = weights.Find(Block(0) + "attn.f.0.weight") != nullptr;
  plan.layer_norm = weights.Find(Block(0) + "layer_norm.weight") != nullptr;
  plan.dy_sample = weights.Find("to_img.init_pos") != nullptr;
  // RealPLKSR has a layer without weights before the last one.
  const WeightTensor* last = weights.Find(Block(plan.blocks + (real ? 1 : 0)) + "weight");
  if (last == nullptr || (plan.dy_sample && !real) || (plan.layer_norm && !real)) return false;
  plan.scale = ShuffleScale(last->dim(0));
  const auto mixes = [](int64_t side) { return side == 1 || side == 3; };
  return plan.scale > 0 && plan.blocks > 0 && plan.far > 0 && plan.far <= plan.features &&
         mixes(plan.first_side) && mixes(plan.second_side) &&
         (!plan.group_norm() || plan.features % kNormGroups == 0);
}

/// A sum of convolutions as one, of a square kernel.
class SummedKernel {
 public:
  SummedKernel(int64_t channels, int64_t side) : channels_(channels), side_(side) {}

  /// One of at most that size, its pixels so far apart about the middle.
  void Add(const ConvWeights& conv) {
    if (!conv.weight.defined() || !conv.bias.defined()) {
      whole_ = false;  // LayerWeights says what is wrong
      return;
    }
    const int64_t height = conv.weight.side(2), width = conv.weight.side(3), apart = conv.shape.dilation;
    const int64_t top = side_ / 2 - height / 2 * apart, left = side_ / 2 - width / 2 * apart;
    const int64_t kernels = channels_ * channels_;
    const float* from = conv.weight.data();
    float* to = Sums(weights_, kernels * side_ * side_);
    for (int64_t kernel = 0; kernel < kernels; ++kernel, to += side_ * side_) {
      for (int64_t i = 0; i < height; ++i) {
        for (int64_t j = 0; j < width; ++j) to[(top + i * apart) * side_ + left + j * apart] += *from++;
      }
    }
    float* const bias = Sums(bias_, channels_);
    for (int64_t c = 0; c < channels_; ++c) bias[c] += conv.bias.data()[c];
  }

  /// Without values where one of them had none.
  ConvWeights Sum() && {
    ConvWeights sum;
    if (!whole_) return sum;
    sum.weight = {{channels_, channels_, side_, side_}, std::move(weights_)};
    sum.bias = {{channels_}, std::move(bias_)};
    return sum;
  }

 private:
  static float* Sums(Buffer& buffer, int64_t count) {
    if (buffer.size() == 0) {
      buffer = Buffer(static_cast<size_t>(count) * sizeof(float));
      std::memset(buffer.data(), 0, buffer.size());
    }
    return reinterpret_cast<float*>(buffer.data());
  }

  int64_t channels_, side_;
  Buffer weights_, bias_;
  bool whole_ = true;
};

class PlksrGraph {
 public:
  PlksrGraph(const Plan& plan, const StateDict& weights) : plan_(plan), graph_(weights, {}) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    const int scale = plan_.scale, outputs = 3 * scale * scale;
    const FeatureMap input = graph_.input();
    FeatureMap x = graph_.Conv("feats.0", plan_.features, {input});
    for (int b = 0; b < plan_.blocks; ++b) x = AddBlock(Block(b), x);
    std::string last = Block(plan_.blocks + (plan_.real ? 1 : 0));
    last.pop_back();
    if (!plan_.dy_sample) {
      return graph_.Finish(
          {.map = graph_.Conv(last, outputs, {x}), .shuffle = scale, .adds_input = InputAdded::kNearest});
    }
    x = graph_.Conv(last, outputs, {x}, {.added = {{graph_.Conv(Repeated(outputs), {input}), 1.0f}}});
    const int groups = scale % 2 == 0 ? 4 : 3;
    return graph_.Finish(
        {.map = graph_.Sampled("to_img", x, scale, groups, scale != 1 ? std::optional(3) : std::nullopt)});
  }

 private:
  FeatureMap AddBlock(const std::string& name, const FeatureMap& input) {
    LayerWeights& layers = graph_.layers();
    const int features = plan_.features;
    const std::string mixer = name + (plan_.real ? "channel_mixer." : "channe_mixer.");
    FeatureMap x = input;
    if (plan_.layer_norm) x = graph_.Normalized(layers.Norm(name + "layer_norm", features, kEpsilon), x);
    x = graph_.Conv(layers.Conv(mixer + "0", 2 * features, features, plan_.first_side), {x},
                    {.end = plan_.real ? ConvEnd::kMish : ConvEnd::kGelu});
    x = graph_.Conv(layers.Conv(mixer + "2", features, 2 * features, plan_.second_side), {x});
    x = graph_.Partial(Far(name + "lk."), x);
    if (plan_.weighs) {
      x = graph_.Conv(name + "attn.f.0", features, {x}, {.end = ConvEnd::kWeigh, .added = {{x, 1.0f}}});
    }
    const std::string refine = name + "refine";
    if (!plan_.group_norm()) return graph_.Conv(refine, features, {x}, {.added = {{input, 1.0f}}}, 1);
    x = graph_.Conv(refine, features, {x}, {}, 1);
    return graph_.GroupNormalized(layers.Norm(name + "norm", features), kNormGroups, x, {{input, 1.0f}});
  }

  ConvWeights Far(const std::string& name) {
    const int64_t side = plan_.side, third = side / 3;
    const auto conv = [&](const std::string& what, const ConvShape& shape) {
      return graph_.layers().Conv(name + what, plan_.far, plan_.far, shape);
    };
    if (plan_.kernel == Kernel::kOne) return conv("conv", {.side = side});
    SummedKernel sum(plan_.far, side);
    if (plan_.kernel == Kernel::kDilated) {
      for (int i = 0; i < kDilatedKernels; ++i)
        sum.Add(conv("convs." + std::to_string(i), {.side = 5, .dilation = i + 1}));
    } else {
      sum.Add(conv("mn_conv", {.side = side, .width = third}));
      sum.Add(conv("nm_conv", {.side = third, .width = side}));
      sum.Add(conv("nn_conv", {.side = third}));
    }
    return std::move(sum).Sum();
  }

  /// Each of the image's bands for all of its pixels' channels.
  static ConvWeights Repeated(int outputs) {
    ConvWeights conv;
    Buffer weights(static_cast<size_t>(outputs) * 3 * sizeof(float));
    for (int k = 0; k < outputs; ++k) {
      for (int band = 0; band < 3; ++band)
        reinterpret_cast<float*>(weights.data())[3 * k + band] = k / (outputs / 3) == band ? 1.0f : 0.0f;
    }
    conv.weight = {{outputs, 3, 1, 1}, std::move(weights)};
    return conv;
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

class Plksr final : public GraphArchitecture {
 public:
  explicit Plksr(bool real) : real_(real) {}
  std::string_view name() const override { return real_ ? "RealPLKSR" : "PLKSR"; }
  std::string_view known_by() const override {
    return real_ ? "4xNomos2_realplksr_dysample, 2x-AnimeSharpV2_RPLKSR" : "PLKSR_X4_DF2K, PLKSR_tiny";
  }

  std::vector<Telltales> telltales() const override {
    return {{"feats.0.weight", "feats.1.refine.weight",
             real_ ? "feats.1.channel_mixer.0.weight" : "feats.1.channe_mixer.0.weight"}};
  }

  bool Matches(const StateDict& weights) const override {
    Plan plan;
    return ReadPlan(weights, real_, plan);
  }

  Result<GraphNetworkParts> Load(const StateDict& weights, ModelInfo info) const override {
    Plan plan;
    if (!ReadPlan(weights, real_, plan)) return WeightError("it is not a " + std::string(name()));
    TRY(CheckKernelSide("a " + std::string(name()), plan.side));
    if (plan.kernel == Kernel::kRectangles) TRY(CheckKernelSide("a PLKSR", plan.side / 3));
    GraphNetworkParts parts;
    parts.info = std::move(info);
    parts.overlap = kOverlap;
    parts.graph = TRY(PlksrGraph(plan, weights).Finish());
    return parts;
  }

 private:
  static constexpr int kOverlap = 64;
  bool real_;
};

const Plksr plksr(false), real_plksr(true);

}  // namespace

extern const GraphArchitecture& kPlksr;
extern const GraphArchitecture& kRealPlksr;
const GraphArchitecture& kPlksr = plksr;
const GraphArchitecture& kRealPlksr = real_plksr;

}  // namespace imgmill
