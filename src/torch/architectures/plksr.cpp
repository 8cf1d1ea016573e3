// PLKSR (Lee et al., "Partial Large Kernel CNNs for Efficient Super-Resolution", 2024) and RealPLKSR, which
// many models were trained as after it: blocks that mix channels, look far with one large kernel on some of
// the channels, weigh each value, and mix again; the input added; pixel shuffle, or DySample.
//
// Key layouts: feats.N.channe_mixer (spelled so) with lk.conv, lk.convs.N or lk.mn_conv is PLKSR;
// feats.N.channel_mixer is RealPLKSR, with a group norm at a block's end (feats.N.norm) or a layer norm at
// its begin (feats.N.layer_norm); to_img.init_pos tells DySample.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/dy_sample.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

/// How the large kernel is put together.
enum class Kernel { kOne, kDilated, kRectangles };

constexpr int kDilatedKernels = 4;  // of 5x5, 1 to 4 pixels apart: shapes tell neither number nor distance
constexpr int64_t kNormGroups = 4;  // leaves no trace, either
constexpr double kEpsilon = 1e-6;

struct Plan {
  int64_t features = 0, blocks = 0;
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
  DySampleShape sample() const {
    return {3 * scale * scale, 3, scale, scale % 2 == 0 ? 4 : 3, /*last_layer=*/scale != 1};
  }
  /// How far all layers see together.
  int64_t radius() const {
    const int64_t block = first_side / 2 + side / 2 + second_side / 2 + (weighs ? 1 : 0);
    return 2 + blocks * block + (dy_sample ? DySample::kReach : 0);
  }
};

std::string Block(int64_t number) {
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
  plan.features = first->dim(0);
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
  return plan.scale > 0 && plan.blocks > 0 && plan.far <= plan.features;
}

class PlksrNet final : public UpscaleNet {
 public:
  PlksrNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const int64_t features = plan.features;
    first_ = layers.Conv("feats.0", features, 3);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const std::string name = Block(b), mixer = name + (plan.real ? "channel_mixer." : "channe_mixer.");
      BlockLayers& block = blocks_.emplace_back();
      if (plan.layer_norm) block.before = layers.Norm(name + "layer_norm", features, kEpsilon);
      block.wide = layers.Conv(mixer + "0", 2 * features, features, plan.first_side);
      block.narrow = layers.Conv(mixer + "2", features, 2 * features, plan.second_side);
      AddFar(layers, name + "lk.", block.far);
      if (plan.weighs) block.weigh = layers.Conv(name + "attn.f.0", features, features);
      block.refine = layers.Conv(name + "refine", features, features, 1);
      if (plan.group_norm()) block.after = layers.Norm(name + "norm", features);
    }
    const std::string last = Block(plan.blocks + (plan.real ? 1 : 0));
    last_ = layers.Conv(last.substr(0, last.size() - 1), 3 * plan.scale * plan.scale, features);
    if (plan.dy_sample) sample_ = DySample(layers, "to_img", plan.sample());
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor x = first_(input);
    for (const BlockLayers& block : blocks_) x = Run(block, x).add_(x);
    x = last_(x);
    // Each band is added to all of its pixels' channels.
    x.add_(input.repeat_interleave(int64_t{plan_.scale} * plan_.scale, 1));
    return plan_.dy_sample ? sample_(x) : torch::pixel_shuffle(x, plan_.scale);
  }

 private:
  struct BlockLayers {
    LayerNorm before, after;
    Convolution wide, narrow, weigh, refine;
    std::vector<Convolution> far;  ///< their outputs are added
  };

  void AddFar(Layers& layers, const std::string& name, std::vector<Convolution>& to) const {
    const auto add = [&](const std::string& what, const ConvShape& shape) {
      to.push_back(layers.Conv(name + what, plan_.far, plan_.far, shape));
    };
    const int64_t side = plan_.side, third = side / 3;
    switch (plan_.kernel) {
      case Kernel::kOne:
        return add("conv", {.side = side});
      case Kernel::kDilated:
        for (int i = 0; i < kDilatedKernels; ++i)
          add("convs." + std::to_string(i), {.side = 5, .dilation = i + 1});
        return;
      case Kernel::kRectangles:
        add("mn_conv", {.side = side, .width = third});
        add("nm_conv", {.side = third, .width = side});
        return add("nn_conv", {.side = third});
    }
  }

  torch::Tensor Run(const BlockLayers& block, const torch::Tensor& input) const {
    torch::Tensor x = block.wide(plan_.layer_norm ? NormalizedPixels(block.before, input) : input);
    x = block.narrow(plan_.real ? torch::mish_(x) : torch::gelu_(x));
    torch::Tensor far = x.narrow(1, 0, plan_.far);
    torch::Tensor sum = block.far[0](far);
    for (size_t i = 1; i < block.far.size(); ++i) sum.add_(block.far[i](far));
    far.copy_(sum);
    if (plan_.weighs) x.mul_(block.weigh(x).sigmoid_());
    x = block.refine(x);
    if (!plan_.group_norm()) return x;
    return GroupNorm(x, kNormGroups, block.after.weight, block.after.bias, block.after.epsilon);
  }

  Plan plan_;
  Convolution first_, last_;
  std::vector<BlockLayers> blocks_;
  DySample sample_;
};

class Plksr final : public Architecture {
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

  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    Plan plan;
    if (!ReadPlan(*weights, real_, plan)) return WeightError("it is not a " + std::string(name()));
    info.scale = plan.scale;
    // A group norm is of the whole image.
    info.receptive_radius = plan.group_norm() ? -1 : static_cast<int>(plan.radius());
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = static_cast<int>(std::min(kOverlap, plan.radius()));
    // A block's input, that normalized, what is inside its mixer and what comes of it; or the channels of all
    // output pixels, thrice.
    parts.bytes = [plan](int height, int width) {
      const int64_t pixels = int64_t{height} * width, shuffled = 3 * plan.scale * plan.scale;
      int64_t end = 3 * shuffled * pixels + plan.features * pixels;
      if (plan.dy_sample) end += DySample::Floats(plan.sample(), height, width);
      return static_cast<size_t>(std::max(6 * plan.features * pixels, end)) * sizeof(float);
    };
    return LoadLayers<PlksrNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
  static constexpr int64_t kOverlap = 64;
  bool real_;
};

const Plksr plksr(false), real_plksr(true);

}  // namespace

extern const Architecture& kPlksr;
extern const Architecture& kRealPlksr;
const Architecture& kPlksr = plksr;
const Architecture& kRealPlksr = real_plksr;

}  // namespace imgmill
