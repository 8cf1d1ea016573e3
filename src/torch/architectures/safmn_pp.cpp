// SAFMN++ (SAFMN's authors' entry to the NTIRE 2024 challenge on efficient super-resolution: Ren et al., "The
// Ninth NTIRE 2024 Efficient Super-Resolution Challenge Report", 2024, and to AIS 2024's on real-time 4K):
// blocks of one convolution of which some channels are weighed by what they look like at an eighth of the
// size, and one that mixes channels; pixel shuffle. No layer has a bias.
//
// Key layouts: feats.N.conv2.conv1 in the first, where blocks are residual and the enlarged input is added;
// feats.N.conv2.conv.0 in the second, "light" one, where only the features of the first layer are added to
// those of the last block.
#include <algorithm>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/same_bits.h"
#include "torch/architectures/upscale_network.h"

namespace imgmill {
namespace {

/// Side of the squares that are seen as one pixel.
constexpr int64_t kSquare = 8;

struct Plan {
  int64_t features = 0;
  int64_t weighed = 0;  ///< channels that are
  int64_t hidden = 0;   ///< channels inside a mixer
  int64_t blocks = 0;
  int scale = 0;
  bool light = false;
};

std::string Block(int64_t number) {
  return "feats." + std::to_string(number) + ".";
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("to_feat.weight");
  const WeightTensor* small = weights.Find("feats.0.conv1.dwconv.weight");
  const WeightTensor* mixer = weights.Find("feats.0.conv2.conv1.weight");
  const WeightTensor* last = weights.Find("to_img.0.weight");
  plan.light = mixer == nullptr;
  if (plan.light) mixer = weights.Find("feats.0.conv2.conv.0.weight");
  if (first == nullptr || small == nullptr || mixer == nullptr || last == nullptr) return false;
  plan.features = first->dim(0);
  plan.weighed = small->dim(0);
  plan.hidden = mixer->dim(0);
  plan.blocks = CountOf(weights, 0, [](int i) { return Block(i) + "conv1.proj.weight"; });
  plan.scale = ShuffleScale(last->dim(0));
  return plan.scale > 0 && plan.weighed > 0 && plan.weighed < plan.features;
}

class SafmnPpNet final : public UpscaleNet {
 public:
  SafmnPpNet(const Plan& plan, Layers& layers) : plan_(plan) {
    const auto conv = [&](const std::string& name, int64_t out, int64_t in, int64_t side) {
      return layers.Conv(name, out, in, {.side = side, .bias = false});
    };
    first_ = conv("to_feat", plan.features, 3, 3);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const std::string mixer = Block(b) + (plan.light ? "conv2.conv." : "conv2.conv");
      BlockLayers& block = blocks_.emplace_back();
      block.first = conv(Block(b) + "conv1.proj", plan.features, plan.features, 3);
      block.small = layers.Conv(Block(b) + "conv1.dwconv", plan.weighed, plan.weighed,
                                {.groups = plan.weighed, .bias = false});
      block.together = conv(Block(b) + "conv1.out", plan.features, plan.features, 1);
      block.wide = conv(mixer + (plan.light ? "0" : "1"), plan.hidden, plan.features, 3);
      block.narrow = conv(mixer + "2", plan.features, plan.hidden, 1);
    }
    last_ = conv("to_img.0", 3 * plan.scale * plan.scale, plan.features, 3);
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2) * plan_.scale, width = input.size(3) * plan_.scale;
    input = Continued(input, kSquare, kSquare);
    const torch::Tensor first = first_(input);
    torch::Tensor x = first;
    for (const BlockLayers& block : blocks_) {
      torch::Tensor inner = block.wide(Modulated(block, x));
      torch::Tensor mixed = block.narrow(torch::gelu_(inner));
      x = plan_.light ? mixed : mixed.add_(x);
    }
    if (plan_.light) x = x + first;
    x = torch::pixel_shuffle(last_(x), plan_.scale);
    if (!plan_.light) x.add_(EnlargedBilinear(input, x.size(2), x.size(3)));
    return x.slice(2, 0, height).slice(3, 0, width);
  }

 private:
  struct BlockLayers {
    Convolution first, small, together, wide, narrow;
  };

  torch::Tensor Modulated(const BlockLayers& block, const torch::Tensor& input) const {
    const int64_t height = input.size(2), width = input.size(3);
    const torch::Tensor x = block.first(input);
    const torch::Tensor weighed = x.narrow(1, 0, plan_.weighed);
    torch::Tensor gate =
        block.small(std::get<0>(torch::adaptive_max_pool2d(weighed, {height / kSquare, width / kSquare})));
    gate = EnlargedBilinear(gate, height, width);
    gate = torch::gelu_(gate).mul_(weighed);
    torch::Tensor all = torch::cat({x.narrow(1, plan_.weighed, plan_.features - plan_.weighed), gate}, 1);
    return block.together(torch::gelu_(all));
  }

  Plan plan_;
  Convolution first_, last_;
  std::vector<BlockLayers> blocks_;
};

class SafmnPp final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SAFMN++"; }
  std::string_view known_by() const override { return "team23_safmnpp, light_safmnpp"; }

  std::vector<Telltales> telltales() const override {
    return {
        {"to_feat.weight", "feats.0.conv1.proj.weight", "feats.0.conv1.dwconv.weight", "to_img.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = plan.scale;
    info.receptive_radius = -1;  // squares are stretched by the image's sides
    info.tile_grid = kSquare;
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kOverlap;
    // A block's input and first layer, the gate and all together twice, or what is inside a mixer; at the end
    // the channels of all output pixels, twice.
    const int64_t floats = 5 * plan.features + plan.hidden + 6 * plan.scale * plan.scale;
    parts.bytes = [floats](int height, int width) {
      return static_cast<size_t>(floats * std::max<int64_t>(height, kSquare) *
                                 std::max<int64_t>(width, kSquare)) *
             sizeof(float);
    };
    return LoadLayers<SafmnPpNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
  static constexpr int kOverlap = 64;
};

const SafmnPp instance;

}  // namespace

extern const Architecture& kSafmnPp;
const Architecture& kSafmnPp = instance;

}  // namespace imgmill
