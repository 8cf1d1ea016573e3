#include "networks/architectures/wide_conv.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "networks/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr int64_t kMiddle = 3;  ///< side of the largest kernel that a graph has a layer for

/// A map so that each pixel is the one that a kernel's `tap`, counted row by row, reads there; zeros outside.
FeatureMap Moved(GraphBuilder& graph, const FeatureMap& from, int64_t side, int64_t tap) {
  const int64_t window = side * side;
  Buffer floats(static_cast<size_t>(from.channels * window) * sizeof(float));
  auto* const to = reinterpret_cast<float*>(floats.data());
  for (int64_t i = 0; i < from.channels * window; ++i) to[i] = i % window == tap ? 1.0f : 0.0f;
  ConvWeights conv;
  conv.shape.groups = from.channels;
  conv.weight = {{from.channels, 1, side, side}, std::move(floats)};
  return graph.Depthwise(conv, from);
}

}  // namespace

Status CheckWideConv(const std::string& network, int64_t side) {
  if (side % 2 != 0 && side <= kMostDepthwiseSide) return {};
  const std::string text = std::to_string(side);
  return WeightError("it is " + network + " with kernels of " + text + "x" + text +
                     ", which are not known: odd ones up to 9x9 are");
}

FeatureMap AddWideConv(GraphBuilder& graph, const ConvWeights& conv, const FeatureMap& from,
                       const GraphEnd& end) {
  if (!conv.weight.defined()) return from;  // Finish says what is wrong
  const int64_t out = conv.weight.side(0), in = conv.weight.side(1), side = conv.weight.side(2);
  if (side <= kMiddle) return graph.Conv(conv, {from}, end);
  const int64_t margin = (side - kMiddle) / 2;
  ConvWeights middle = conv;
  middle.weight = conv.weight.Some(2, margin, kMiddle).Some(3, margin, kMiddle);
  FeatureMap sum = graph.Conv(middle, {from});
  std::vector<int64_t> around;
  for (int64_t tap = 0; tap < side * side; ++tap) {
    if (std::max(std::abs(tap / side - side / 2), std::abs(tap % side - side / 2)) > kMiddle / 2)
      around.push_back(tap);
  }
  const Values by_taps = conv.weight.As({out, in, side * side}).InOrder({2, 0, 1});
  for (size_t first = 0; first < around.size(); first += kMostConvInputs) {
    const size_t behind = std::min(around.size(), first + kMostConvInputs);
    std::vector<FeatureMap> maps;
    std::vector<Values> taps;
    for (size_t i = first; i < behind; ++i) {
      maps.push_back(Moved(graph, from, side, around[i]));
      taps.push_back(by_taps.Some(0, around[i], 1));
    }
    const auto count = static_cast<int64_t>(maps.size());
    ConvWeights part;
    part.weight = Values::Joined(taps).InOrder({1, 0, 2}).As({out, count * in, 1, 1});
    GraphEnd sums = behind == around.size() ? end : GraphEnd();
    sums.end = ConvEnd::kSumSlope;
    sums.added.insert(sums.added.begin(), {.map = sum});
    sum = graph.Conv(part, maps, sums);
  }
  return sum;
}

}  // namespace imgmill
