// SAFMN (Sun et al., "Spatially-Adaptive Feature Modulation for Efficient Image Super-Resolution", ICCV
// 2023): blocks that weigh features by what they look like at four sizes, each followed by a convolution that
// mixes channels; pixel shuffle.
//
// Key layouts: the paper's (feats.N.norm1, feats.N.safm, feats.N.ccm), and that of its authors' entry to the
// NTIRE 2023 challenge, which has no norms and no biases in blocks, one norm before them by each channel's
// share of the image's energy (norm.gamma), squares twice as large, and the enlarged input added.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

constexpr int kLevels = 4;  // sizes that features are looked at
constexpr double kEpsilon = 1e-6;

struct Plan {
  int64_t features = 0;
  int64_t hidden = 0;  ///< channels inside a mixer
  int64_t blocks = 0;
  int scale = 0;
  bool entry = false;  ///< the challenge's

  /// Side of the squares that a level sees as one pixel.
  int64_t square(int level) const { return level == 0 ? 1 : int64_t{1} << (level + (entry ? 1 : 0)); }
  /// An image has one of the largest, at least.
  int64_t least() const { return square(kLevels - 1); }
};

std::string Block(int64_t number) {
  return "feats." + std::to_string(number) + ".";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("to_feat.weight");
  const WeightTensor* mixer = weights.Find("feats.0.ccm.ccm.0.weight");
  const WeightTensor* last = weights.Find("to_img.0.weight");
  if (first == nullptr || mixer == nullptr || last == nullptr ||
      weights.Find("feats.0.safm.mfr.3.weight") == nullptr) {
    return false;
  }
  plan.entry = weights.Find("norm.gamma") != nullptr;
  if (!plan.entry && weights.Find("feats.0.norm1.weight") == nullptr) return false;
  plan.features = first->dim(0);
  plan.hidden = mixer->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + "safm.aggr.weight"; });
  plan.scale = ShuffleScale(last->dim(0));
  return plan.scale > 0 && plan.features > 0 && plan.features % kLevels == 0;
}

class SafmnNet final : public UpscaleNet {
 public:
  SafmnNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const int64_t features = plan.features, part = features / kLevels;
    const bool bias = !plan.entry;
    first_ = layers.Conv("to_feat", features, 3);
    if (plan.entry) {
      gamma_ = layers.Parameter("norm.gamma", {1, features, 1, 1});
      beta_ = layers.Parameter("norm.beta", {1, features, 1, 1});
    }
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const std::string name = Block(b);
      BlockLayers& block = blocks_.emplace_back();
      for (size_t level = 0; level < kLevels; ++level) {
        block.levels[level] = layers.Conv(name + "safm.mfr." + std::to_string(level), part, part,
                                          {.groups = part, .bias = bias});
      }
      block.together = layers.Conv(name + "safm.aggr", features, features, {.side = 1, .bias = bias});
      block.wide = layers.Conv(name + "ccm.ccm.0", plan.hidden, features, {.bias = bias});
      block.narrow = layers.Conv(name + "ccm.ccm.2", features, plan.hidden, {.side = 1, .bias = bias});
      if (plan.entry) continue;
      block.before_levels = layers.Norm(name + "norm1", features, kEpsilon);
      block.before_mixer = layers.Norm(name + "norm2", features, kEpsilon);
    }
    last_ = layers.Conv("to_img.0", 3 * plan.scale * plan.scale, features);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * plan_.scale, width = input.size(3) * plan_.scale;
    input = Continued(input, plan_.least(), plan_.least());
    const torch::Tensor first = first_(input);
    torch::Tensor x = plan_.entry ? ByEnergy(first) : first;
    for (const BlockLayers& block : blocks_) {
      x = Modulated(block, Normalized(block.before_levels, x)).add_(x);
      x = Mixed(block, Normalized(block.before_mixer, x)).add_(x);
    }
    if (!plan_.entry) x.add_(first);
    x = torch::pixel_shuffle(last_(x), plan_.scale);
    if (plan_.entry) x.add_(EnlargedBilinear(input, x.size(2), x.size(3)));
    return x.slice(2, 0, height).slice(3, 0, width);
  }

 private:
  struct BlockLayers {
    LayerNorm before_levels, before_mixer;  ///< undefined in the challenge's network
    std::array<Convolution, kLevels> levels;
    Convolution together, wide, narrow;
  };

  torch::Tensor Normalized(const LayerNorm& norm, const torch::Tensor& x) const {
    return plan_.entry ? x : NormalizedPixels(norm, x);
  }

  /// Each channel times its norm over the image, by the channels' mean norm.
  torch::Tensor ByEnergy(const torch::Tensor& x) const {
    const torch::Tensor energy = torch::norm(x, 2, {2, 3}, /*keepdim=*/true);
    const torch::Tensor share = energy / (energy.mean(1, /*keepdim=*/true) + kEpsilon);
    return (x * (gamma_ * share + 1)).add_(beta_);
  }

  torch::Tensor Modulated(const BlockLayers& block, const torch::Tensor& x) const {
    const int64_t height = x.size(2), width = x.size(3);
    const std::vector<torch::Tensor> parts = x.chunk(kLevels, 1);
    std::vector<torch::Tensor> seen;
    for (int level = 0; level < kLevels; ++level) {
      torch::Tensor part = parts[static_cast<size_t>(level)];
      const int64_t square = plan_.square(level);
      // Of sides that are no multiple of them, the squares are stretched.
      if (level > 0) part = std::get<0>(torch::adaptive_max_pool2d(part, {height / square, width / square}));
      part = block.levels[static_cast<size_t>(level)](part);
      if (level > 0) part = torch::upsample_nearest2d(part, {height, width});
      seen.push_back(part);
    }
    torch::Tensor gate = block.together(torch::cat(seen, 1));
    return torch::gelu_(gate).mul_(x);
  }

  static torch::Tensor Mixed(const BlockLayers& block, const torch::Tensor& x) {
    torch::Tensor inner = block.wide(x);
    return block.narrow(torch::gelu_(inner));
  }

  Plan plan_;
  Convolution first_, last_;
  torch::Tensor gamma_, beta_;
  std::vector<BlockLayers> blocks_;
};

class SafmnArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SAFMN"; }
  std::string_view known_by() const override { return "SAFMN_DF2K_x4, SAFMN_L_Real_LSDIR_x4"; }

  std::vector<Telltales> telltales() const override {
    return {{"to_feat.weight", "feats.0.norm1.weight", "feats.0.safm.mfr.3.weight", "to_img.0.weight"},
            {"to_feat.weight", "norm.gamma", "feats.0.safm.mfr.3.weight", "to_img.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    // Squares are stretched by the image's sides, and the challenge's norm is of the whole image.
    info.receptive_radius = -1;
    info.tile_grid = static_cast<int>(plan.least());
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    // In a block its input, that normalized, the parts twice and the gate, or what is inside a mixer; at the
    // end the channels of all output pixels, twice.
    const int64_t floats = 6 * plan.features + plan.hidden + 6 * plan.scale * plan.scale;
    parts.bytes = [floats, least = plan.least()](int height, int width) {
      return static_cast<size_t>(floats * std::max<int64_t>(height, least) *
                                 std::max<int64_t>(width, least)) *
             sizeof(float);
    };
    return LoadLayers<SafmnNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
  static constexpr int kOverlap = 64;
};

const SafmnArchitecture instance;

}  // namespace

extern const Architecture& kSafmn;
const Architecture& kSafmn = instance;

}  // namespace imgmill
