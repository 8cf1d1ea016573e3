// Real-CUGAN on our own kernels: see real_cugan.cpp. What enlarges by overlapping kernels is a convolution of
// as many outputs as a square has pixels.
#include "torch/architectures/graph_builder.h"
#include "torch/architectures/real_cugan.h"

namespace imgmill {
namespace {

constexpr auto kLeaky = static_cast<float>(kCuganSlope);

class Graph {
 public:
  Graph(const RealCuganPlan& plan, const StateDict& weights) : plan_(plan), graph_(weights, InputOf(plan)) {}

  Result<std::shared_ptr<const LayerGraph>> Finish() {
    graph_.layers().PassOver("pro");
    const auto between = static_cast<int>(plan_.final_layer ? kCuganFeatures : plan_.bands);
    const FeatureMap enlarged = Shallow(between);
    // Where there is no layer behind, what is corrected goes out.
    const bool ends = plan_.pro && !plan_.final_layer;
    const FeatureMap x = Deep(enlarged, ends ? FromPro() : 1);
    if (!plan_.final_layer) return graph_.Finish({.map = x});
    const Convolution last = graph_.layers().Conv("conv_final", 4 * plan_.bands, kCuganFeatures);
    const FeatureMap pixels = graph_.Conv(last, {x}, {.gain = plan_.pro ? FromPro() : 1, .padded = false});
    return graph_.Finish({.map = pixels, .shuffle = 2, .margin = 1, .adds_input = true});
  }

 private:
  static LayerGraph::Input InputOf(const RealCuganPlan& plan) {
    LayerGraph::Input input;
    input.bands = static_cast<int>(plan.bands);
    input.unshuffle = static_cast<int>(plan.unshuffle);
    input.least = static_cast<int>(plan.least());
    // Only the fast network's sides must be multiples before they are mirrored.
    (plan.unshuffle > 1 ? input.multiple : input.margin_multiple) = static_cast<int>(plan.multiple());
    input.continued = Continuation::kMirror;
    input.margin = static_cast<int>(plan.padding());
    if (plan.pro) {
      input.mean.assign(static_cast<size_t>(plan.bands), static_cast<float>(-kCuganProLow / kCuganProRange));
      input.range = static_cast<float>(kCuganProRange);
    }
    return input;
  }
  static float FromPro() { return static_cast<float>(1 / kCuganProRange); }

  /// A convolution without padding.
  FeatureMap Inner(const std::string& name, int out, const FeatureMap& from) {
    return graph_.Conv(name, out, {from}, {.slope = kLeaky, .padded = false});
  }
  /// Two of them, and weights of the channels by their means.
  FeatureMap Level(const std::string& name, int middle, int out, const FeatureMap& from, bool weighed) {
    const FeatureMap x = Inner(name + ".conv.2", out, Inner(name + ".conv.0", middle, from));
    if (!weighed) return x;
    const int squeezed = out / static_cast<int>(kCuganReduction);
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
    const torch::Tensor weight =
        graph_.layers().Parameter(name + ".weight", {from.channels, out, kernel, kernel});
    const torch::Tensor bias = graph_.layers().Parameter(name + ".bias", {out});
    if (!weight.defined() || !bias.defined()) return from;  // Finish says what is wrong
    Convolution conv;
    conv.weight = torch::zeros({out, side, side, from.channels, 3, 3});
    for (int64_t i = 0; i < side * side * 9; ++i) {
      const int64_t row = i / 9 / side, column = i / 9 % side, down = i % 9 / 3, right = i % 3;
      const int tap_row = taps[static_cast<size_t>(row)][static_cast<size_t>(down)];
      const int tap_column = taps[static_cast<size_t>(column)][static_cast<size_t>(right)];
      if (tap_row < 0 || tap_column < 0) continue;
      conv.weight.select(1, row).select(1, column).select(2, down).select(2, right).copy_(
          weight.select(2, tap_row).select(2, tap_column).t());
    }
    conv.weight = conv.weight.view({out * side * side, from.channels, 3, 3});
    conv.bias = bias.repeat_interleave(side * side);
    return graph_.Shuffled(conv, {from}, {.side = side, .trimmed = trimmed}, end);
  }

  /// @param gain  of what comes out; other than 1, values of the "pro" range go back to 0 to 1
  FeatureMap Deep(const FeatureMap& from, float gain) {
    const FeatureMap top = Level("unet2.conv1", 32, 64, from, false);
    const FeatureMap middle = Level("unet2.conv2", 64, 128, Down("unet2.conv1_down", top), true);
    FeatureMap x = Level("unet2.conv3", 256, 128, Down("unet2.conv2_down", middle), true);
    x = Level("unet2.conv4", 64, 64, Up("unet2.conv3_up", x, middle, 4), true);
    x = Inner("unet2.conv5", 64, Up("unet2.conv4_up", x, top, 16));
    Convolution last = graph_.layers().Conv("unet2.conv_bottom", from.channels, 64);
    if (gain != 1 && last.bias.defined()) last.bias = last.bias - kCuganProLow;
    return graph_.Conv(last, {x},
                       {.gain = gain,
                        .added = {{.map = from, .scale = gain, .margin = static_cast<int>(kCuganDeepMargin)}},
                        .padded = false});
  }

  const RealCuganPlan& plan_;
  GraphBuilder graph_;
};

}  // namespace

Result<std::shared_ptr<const LayerGraph>> RealCuganGraph(const RealCuganPlan& plan,
                                                         const StateDict& weights) {
  return Graph(plan, weights).Finish();
}

}  // namespace imgmill
