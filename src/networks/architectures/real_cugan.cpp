// Real-CUGAN (UpCunet, bilibili AI Lab, "Real Cascade U-Nets for Anime Image Super Resolution", 2022): a
// small U-Net that enlarges by two or three, and a deeper one at that size that corrects what the first made.
// Their convolutions are not padded: the image is mirrored outwards first, and each layer takes some of it
// away. What leaves a level of a U-Net is weighed by its mean over the whole image.
//
// Key layouts: unet1.* and unet2.*; with conv_final.* x4, or x2 "fast", which looks at squares of two pixels
// as channels. A tensor "pro" tells that values lie in 0.15 to 0.85.
#include <algorithm>
#include <string>
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr float kLeaky = 0.1f;  ///< of all leaky ReLUs
/// From the channels to those that decide on their weight.
constexpr int64_t kReduction = 8;
/// Between the two U-Nets where there are layers behind them.
constexpr int64_t kFeatures = 64;
/// Pixels that the second U-Net takes away on each side.
constexpr int64_t kDeepMargin = 20;
constexpr double kProRange = 0.7, kProLow = 0.15;

/// The variant, read off its tensors.
struct Plan {
  int scale = 2;
  int64_t bands = 3;
  bool pro = false;
  bool final_layer = false;  ///< a convolution and pixel shuffle behind the U-Nets
  int64_t unshuffle = 1;     ///< side of the squares that become channels

  int64_t multiple() const { return scale == 3 || unshuffle > 1 ? 4 : 2; }
  /// Mirrored pixels on each side.
  int64_t padding() const { return scale == 3 ? 14 : !final_layer ? 18 : unshuffle > 1 ? 38 : 19; }
  /// Fewer pixels than this are continued to the right and below, so that there are enough to mirror.
  int64_t least() const { return unshuffle > 1 ? 40 : 32; }
  /// How much the first U-Net enlarges.
  int64_t inner_scale() const { return scale == 3 ? 3 : 2; }
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("unet1.conv1.conv.0.weight");
  const WeightTensor* bottom = weights.Find("unet1.conv_bottom.weight");
  const WeightTensor* last = weights.Find("unet2.conv_bottom.weight");
  if (first == nullptr || bottom == nullptr || last == nullptr ||
      weights.Find("unet2.conv3.seblock.conv1.weight") == nullptr) {
    return false;
  }
  plan.bands = first->dim(1);
  plan.pro = weights.Find("pro") != nullptr;
  const WeightTensor* final_layer = weights.Find("conv_final.weight");
  if (final_layer != nullptr) {
    plan.final_layer = true;
    // A network of 4 bands would look like a fast one of grey; there is none.
    plan.unshuffle = final_layer->dim(0) == plan.bands ? 2 : 1;
    plan.scale = plan.unshuffle > 1 ? 2 : 4;
    if (plan.unshuffle > 1) plan.bands /= 4;
    return (plan.bands == 1 || plan.bands == 3) && final_layer->dim(0) == 4 * plan.bands;
  }
  plan.scale = bottom->dim(2) == 5 ? 3 : 2;
  return (plan.bands == 1 || plan.bands == 3) && last->dim(0) == plan.bands;
}

class Graph {
 public:
  Graph(const Plan& plan, const StateDict& weights) : plan_(plan), graph_(weights, InputOf(plan)) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    graph_.layers().PassOver("pro");
    const auto between = static_cast<int>(plan_.final_layer ? kFeatures : plan_.bands);
    const FeatureMap enlarged = Shallow(between);
    // Where there is no layer behind, what is corrected goes out.
    const bool ends = plan_.pro && !plan_.final_layer;
    const FeatureMap x = Deep(enlarged, ends ? FromPro() : 1);
    if (!plan_.final_layer) return graph_.Finish({.map = x});
    const ConvWeights last = graph_.layers().Conv("conv_final", 4 * plan_.bands, kFeatures);
    const FeatureMap pixels = graph_.Conv(last, {x}, {.gain = plan_.pro ? FromPro() : 1, .padded = false});
    return graph_.Finish({.map = pixels, .shuffle = 2, .margin = 1, .adds_input = InputAdded::kNearest});
  }

 private:
  static LayerGraph::Input InputOf(const Plan& plan) {
    LayerGraph::Input input;
    input.bands = static_cast<int>(plan.bands);
    input.unshuffle = static_cast<int>(plan.unshuffle);
    input.least = static_cast<int>(plan.least());
    // Only the fast network's sides must be multiples before they are mirrored.
    (plan.unshuffle > 1 ? input.multiple : input.margin_multiple) = static_cast<int>(plan.multiple());
    input.continued = Continuation::kMirror;
    input.margin = static_cast<int>(plan.padding());
    if (plan.pro) {
      input.mean.assign(static_cast<size_t>(plan.bands), static_cast<float>(-kProLow / kProRange));
      input.range = static_cast<float>(kProRange);
    }
    return input;
  }
  static float FromPro() { return static_cast<float>(1 / kProRange); }

  /// A convolution without padding.
  FeatureMap Inner(const std::string& name, int out, const FeatureMap& from) {
    return graph_.Conv(name, out, {from}, {.slope = kLeaky, .padded = false});
  }
  /// Two of them, and weights of the channels by their means.
  FeatureMap Level(const std::string& name, int middle, int out, const FeatureMap& from, bool weighed) {
    const FeatureMap x = Inner(name + ".conv.2", out, Inner(name + ".conv.0", middle, from));
    if (!weighed) return x;
    const int squeezed = out / static_cast<int>(kReduction);
    FeatureMap gate = graph_.Conv(name + ".seblock.conv1", squeezed, {graph_.Mean(x)}, {.slope = 0}, 1);
    gate = graph_.Conv(name + ".seblock.conv2", out, {gate}, {}, 1);
    return graph_.Scaled(x, graph_.Function(gate, MapFunction::kSigmoid), {}, {});
  }
  FeatureMap Down(const std::string& name, const FeatureMap& from) {
    return graph_.Strided(graph_.layers().Conv(name, from.channels, from.channels, 2), from, 2, kLeaky);
  }
  /// At twice the size, and `beside` without its margin added.
  FeatureMap Up(const std::string& name, const FeatureMap& from, const FeatureMap& beside, int margin) {
    return graph_.Transposed(name, from.channels, from, true,
                             {.slope = kLeaky, .added = {{.map = beside, .margin = margin}}});
  }

  FeatureMap Shallow(int out) {
    const FeatureMap top = Level("unet1.conv1", 32, 64, graph_.input(), false);
    FeatureMap x = Level("unet1.conv2", 128, 64, Down("unet1.conv1_down", top), true);
    x = Inner("unet1.conv3", 64, Up("unet1.conv2_up", x, top, 4));
    return plan_.inner_scale() == 3 ? Tripled(out, x) : Doubled(out, x);
  }

  /// A transposed convolution of 4x4 by two that is cut by three pixels on each side. Of pixel q's square of
  /// four, row 0 is made of rows q and q + 1 by the kernel's rows 3 and 1, and row 1 of q + 1 and q + 2 by
  /// its rows 2 and 0.
  FeatureMap Doubled(int out, const FeatureMap& from) {
    return Enlarged(out, from, 2, 4, {{3, 1, -1}, {-1, 2, 0}}, {.padded = false}, 0);
  }
  /// One of 5x5 by three that is cut by two pixels: row 0 is made of row q by the kernel's row 2, row 1 of q
  /// and q + 1 by rows 3 and 0, and row 2 of these by rows 4 and 1. The last square is cut, too.
  FeatureMap Tripled(int out, const FeatureMap& from) {
    return Enlarged(out, from, 3, 5, {{-1, 2, -1}, {-1, 3, 0}, {-1, 4, 1}}, {}, 2);
  }
  /// @param taps  of each of a square's rows, the kernel's row for each of three rows of `from`; -1 for none
  FeatureMap Enlarged(int out, const FeatureMap& from, int side, int64_t kernel,
                      const std::vector<std::vector<int>>& taps, const GraphEnd& end, int trimmed) {
    const std::string name = "unet1.conv_bottom";
    const Values weight = graph_.layers().Parameter(name + ".weight", {from.channels, out, kernel, kernel});
    const Values bias = graph_.layers().Parameter(name + ".bias", {out});
    if (!weight.defined() || !bias.defined()) return from;  // Finish says what is wrong
    const int64_t channels = from.channels, pixels = int64_t{side} * side,
                  count = out * pixels * channels * 9;
    Buffer floats(static_cast<size_t>(count) * sizeof(float));
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = i % 9, channel = i / 9 % channels, pixel = i / 9 / channels % pixels,
                    k = i / 9 / channels / pixels;
      const int row = taps[static_cast<size_t>(pixel / side)][static_cast<size_t>(at / 3)];
      const int column = taps[static_cast<size_t>(pixel % side)][static_cast<size_t>(at % 3)];
      reinterpret_cast<float*>(floats.data())[i] =
          row < 0 || column < 0 ? 0.0f
                                : weight.data()[((channel * out + k) * kernel + row) * kernel + column];
    }
    ConvWeights conv;
    conv.weight = {{out * pixels, channels, 3, 3}, std::move(floats)};
    // The same at each pixel of a square.
    const std::vector<Values> biases(static_cast<size_t>(pixels), bias.As({1, out}));
    conv.bias = Values::Joined(biases).InOrder({1, 0}).As({out * pixels});
    return graph_.Shuffled(conv, {from}, {.side = side, .trimmed = trimmed}, end);
  }

  static Values WithoutProLow(const Values& bias) {
    if (!bias.defined()) return bias;
    Buffer floats(static_cast<size_t>(bias.count()) * sizeof(float));
    std::transform(bias.data(), bias.data() + bias.count(), reinterpret_cast<float*>(floats.data()),
                   [](float value) { return value - static_cast<float>(kProLow); });
    return {bias.shape(), std::move(floats)};
  }

  /// @param gain  of what comes out; other than 1, values of the "pro" range go back to 0 to 1
  FeatureMap Deep(const FeatureMap& from, float gain) {
    const FeatureMap top = Level("unet2.conv1", 32, 64, from, false);
    const FeatureMap middle = Level("unet2.conv2", 64, 128, Down("unet2.conv1_down", top), true);
    FeatureMap x = Level("unet2.conv3", 256, 128, Down("unet2.conv2_down", middle), true);
    x = Level("unet2.conv4", 64, 64, Up("unet2.conv3_up", x, middle, 4), true);
    x = Inner("unet2.conv5", 64, Up("unet2.conv4_up", x, top, 16));
    ConvWeights last = graph_.layers().Conv("unet2.conv_bottom", from.channels, 64);
    if (gain != 1) last.bias = WithoutProLow(last.bias);
    return graph_.Conv(last, {x},
                       {.gain = gain,
                        .added = {{.map = from, .scale = gain, .margin = static_cast<int>(kDeepMargin)}},
                        .padded = false});
  }

  const Plan& plan_;
  GraphBuilder graph_;
};

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  return Graph(plan, weights).Finish();
}

class RealCugan final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "Real-CUGAN"; }
  std::string_view known_by() const override { return "up2x-latest-conservative, pro-denoise3x-up2x"; }

  std::vector<Telltales> telltales() const override {
    return {{"unet1.conv1.conv.0.weight", "unet1.conv_bottom.weight", "unet2.conv3.seblock.conv1.weight",
             "unet2.conv_bottom.weight"}};
  }

  Status Describe(const StateDict& /*weights*/, Plan& plan, GraphNetworkParts& parts) const override {
    parts.info.tile_grid = static_cast<int>(plan.multiple());
    parts.tile = plan.scale == 2 ? kTile : kLargeScaleTile;
    // But for the means over the tile, this is all that a pixel depends on.
    parts.overlap = static_cast<int>(plan.padding());
    return {};
  }

 private:
  /// As large as memory allows: the means of a part differ from the whole image's. 0.7 (x4) to 1.0 GiB (x3).
  static constexpr int kTile = 512, kLargeScaleTile = 384;
};

const RealCugan instance;

}  // namespace

extern const GraphArchitecture& kRealCugan;
const GraphArchitecture& kRealCugan = instance;

}  // namespace imgmill
