// MoSR (2024; after Yu and Wang, "MambaOut: Do We Really Need Mamba for Vision?"): blocks of a 3x3
// convolution to a gate and what it lets through, part of which a depthwise convolution sees; pixel shuffle,
// the mean of eight of them ("gps"), or DySample.
//
// Key layout: gblocks.0, gblocks.N.{norm,fc1,conv,fc2}, three more gblocks,
// shortcut.{block.0,block.2,conv11}; upsampler.0, upsampler.in_to_k ("gps") or upsampler.init_pos.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/dy_sample.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr double kShift = 0.5;        // what each block and the shortcut take from their input
constexpr int64_t kOrientations = 8;  // that "gps" takes the mean of

enum class End { kShuffle, kMeanShuffle, kDySample };

struct Plan {
  int64_t features = 0, blocks = 0;
  int64_t hidden = 0;  ///< channels of the gate
  int64_t far = 0;     ///< channels with the depthwise convolution
  int64_t side = 7;    ///< of its kernel
  int64_t bands = 3;
  int scale = 0;
  End end = End::kShuffle;

  DySampleShape sample() const { return {.in = features, .out = bands, .scale = scale}; }
  int64_t radius() const {
    return 1 + blocks * (2 + side / 2) + 2 + (end == End::kDySample ? DySample::kReach : 1);
  }
};

std::string Block(int64_t number) {
  return "gblocks." + std::to_string(number);
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("gblocks.0.weight");
  const WeightTensor* wide = weights.Find("gblocks.1.fc1.weight");
  const WeightTensor* far = weights.Find("gblocks.1.conv.weight");
  if (first == nullptr || wide == nullptr || far == nullptr ||
      weights.Find("shortcut.conv11.weight") == nullptr) {
    return false;
  }
  plan.features = first->dim(0);
  plan.bands = first->dim(1);
  plan.blocks = CountOf(weights, 1, [](int i) { return Block(i) + ".fc1.weight"; });
  plan.hidden = wide->dim(0) / 2;
  plan.far = far->dim(0);
  plan.side = far->dim(2);
  if ((plan.bands != 1 && plan.bands != 3) || plan.far > plan.hidden) return false;
  const int bands = static_cast<int>(plan.bands);
  if (const WeightTensor* shuffled = weights.Find("upsampler.0.weight")) {
    plan.scale = ShuffleScale(shuffled->dim(0), bands);
  } else if (const WeightTensor* oriented = weights.Find("upsampler.in_to_k.weight")) {
    plan.end = End::kMeanShuffle;
    plan.scale = ShuffleScale(oriented->dim(0), static_cast<int>(kOrientations) * bands);
  } else if (const WeightTensor* offset = weights.Find("upsampler.offset.weight")) {
    plan.end = End::kDySample;
    plan.scale = ShuffleScale(offset->dim(0), 8);  // two coordinates of four groups
  }
  return plan.scale > 0;
}

class MosrNet final : public UpscaleNet {
 public:
  MosrNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const int64_t features = plan.features, outputs = plan.bands * plan.scale * plan.scale;
    first_ = layers.Conv(Block(0), features, plan.bands);
    for (int64_t b = 1; b <= plan.blocks; ++b) {
      blocks_.push_back(
          {layers.Norm(Block(b) + ".norm", features, kEpsilon),
           layers.Conv(Block(b) + ".fc1", 2 * plan.hidden, features),
           layers.Conv(Block(b) + ".conv", plan.far, plan.far, {.side = plan.side, .groups = plan.far}),
           layers.Conv(Block(b) + ".fc2", features, plan.hidden)});
    }
    // Activations without weights lie between them.
    const int64_t after = plan.blocks + 1;
    wide_ = layers.Conv(Block(after), 2 * features, features);
    narrow_ = layers.Conv(Block(after + 2), features, 2 * features);
    mixed_ = layers.Conv(Block(after + 4), features, features, 1);
    around_first_ = layers.Conv("shortcut.block.0", features, plan.bands);
    around_second_ = layers.Conv("shortcut.block.2", features, features);
    around_plain_ = layers.Conv("shortcut.conv11", features, plan.bands, 1);
    switch (plan.end) {
      case End::kShuffle:
        shuffled_ = layers.Conv("upsampler.0", outputs, features);
        break;
      case End::kMeanShuffle:
        shuffled_ = MeanOf(layers.Conv("upsampler.in_to_k", kOrientations * outputs, features), outputs);
        break;
      case End::kDySample:
        sample_ = DySample(layers, "upsampler", plan.sample());
        break;
    }
  }

  torch::Tensor forward(torch::Tensor input) override {
    torch::Tensor x = first_(input);
    for (const BlockLayers& block : blocks_) x = Run(block, x).add_(x).sub_(kShift);
    x = Activated(wide_(x));
    x = mixed_(Activated(narrow_(x)));
    x.add_(Activated(around_second_(Activated(around_first_(input)))));
    x.add_(around_plain_(input)).sub_(kShift);
    return plan_.end == End::kDySample ? sample_(x) : torch::pixel_shuffle(shuffled_(x), plan_.scale);
  }

 private:
  struct BlockLayers {
    LayerNorm norm;
    Convolution wide, far, narrow;
  };

  static torch::Tensor Activated(torch::Tensor x) { return torch::mish_(x); }

  /// The mean of what eight convolutions give is one convolution.
  static Convolution MeanOf(Convolution all, int64_t outputs) {
    if (!all.bias.defined()) return all;
    const auto mean = [&](const torch::Tensor& x) {
      return x.unflatten(0, {kOrientations, outputs}).mean(0);
    };
    all.weight = mean(all.weight.contiguous()).contiguous(torch::MemoryFormat::ChannelsLast);
    all.bias = mean(all.bias);
    return all;
  }

  torch::Tensor Run(const BlockLayers& block, const torch::Tensor& input) const {
    const torch::Tensor x = block.wide(NormalizedPixels(block.norm, input));
    torch::Tensor rest = x.narrow(1, plan_.hidden, plan_.hidden);
    torch::Tensor far = rest.narrow(1, plan_.hidden - plan_.far, plan_.far);
    far.copy_(block.far(far));
    torch::Tensor gate = x.narrow(1, 0, plan_.hidden);
    return Activated(block.narrow(rest.mul_(torch::mish_(gate))));
  }

  Plan plan_;
  Convolution first_, wide_, narrow_, mixed_, around_first_, around_second_, around_plain_, shuffled_;
  std::vector<BlockLayers> blocks_;
  DySample sample_;
};

class Mosr final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "MoSR"; }
  std::string_view known_by() const override { return "4xNomos2_hq_mosr, 2x-AnimeSharpV2_MoSR"; }

  std::vector<Telltales> telltales() const override {
    return {{"gblocks.0.weight", "gblocks.1.fc1.weight", "gblocks.1.conv.weight", "shortcut.conv11.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = static_cast<int>(plan.radius());
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = static_cast<int>(std::min(kOverlap, plan.radius()));
    // A block's input, that normalized, all parts, one of them again, and what comes of it; at the end the
    // channels of all output pixels, twice.
    parts.bytes = [plan](int height, int width) {
      const int64_t pixels = int64_t{height} * width;
      const int64_t block = pixels * (3 * plan.features + 3 * plan.hidden + plan.far);
      int64_t end = pixels * (2 * plan.features + 3 * plan.bands * plan.scale * plan.scale);
      if (plan.end == End::kDySample) end += DySample::Floats(plan.sample(), height, width);
      return static_cast<size_t>(std::max({block, 4 * plan.features * pixels, end})) * sizeof(float);
    };
    return LoadLayers<MosrNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
  static constexpr int64_t kOverlap = 64;
};

const Mosr instance;

}  // namespace

extern const Architecture& kMosr;
const Architecture& kMosr = instance;

}  // namespace imgmill
