#include "networks/architectures/spatial_attention.h"

#include <algorithm>

namespace imgmill {
namespace {

// Windows of the map that is pooled, which has half the size already.
constexpr int kHalving = 2, kWindow = 7, kApart = 3;

}  // namespace

FeatureMap AddSpatialConv(GraphBuilder& graph, const std::string& name, int out,
                          const std::vector<FeatureMap>& from, bool separable, const GraphEnd& end) {
  if (!separable) return graph.Conv(name, out, from, end);
  int64_t in = 0;
  for (const FeatureMap& map : from) in += map.channels;
  const FeatureMap x = graph.Conv(graph.layers().Pointwise(name + ".pw", out, in), from);
  return graph.Depthwise(graph.layers().Conv(name + ".dw", out, out, ConvShape{.groups = out}), x, end);
}

FeatureMap AddAttention(GraphBuilder& graph, const std::string& name, const FeatureMap& x,
                        const AttentionKind& kind, const FeatureMap* added) {
  const int inner = static_cast<int>(std::max<int64_t>(1, graph.layers().Outputs(name + ".conv1.weight")));
  const auto pointwise = [&](const char* layer, int out, const FeatureMap& from, const GraphEnd& end) {
    if (!kind.separable) return graph.Conv(name + layer, out, {from}, end, 1);
    return graph.Conv(graph.layers().Pointwise(name + layer, out, from.channels), {from}, end);
  };
  const FeatureMap narrow = pointwise(".conv1", inner, x, {});
  FeatureMap small = graph.Strided(name + ".conv2", inner, narrow, 3, kHalving);
  small = graph.MaxPool(small, kWindow, kApart);
  const auto layer = [&](const char* which, bool activated) {
    GraphEnd end;
    if (activated && kind.gelu) end.end = ConvEnd::kGelu;
    if (activated && !kind.gelu) end.slope = 0;
    small = AddSpatialConv(graph, name + which, inner, {small}, kind.separable, end);
  };
  if (kind.three_layers) layer(".conv_max", true);
  layer(".conv3", kind.three_layers);
  if (kind.three_layers) layer(".conv3_", false);
  const FeatureMap mask = graph.Resized(small, x, Resizing::kBilinear);
  const FeatureMap both = pointwise(".conv_f", inner, narrow, {.added = {{mask, 1.0f}}});
  GraphEnd weigh = {.end = ConvEnd::kWeigh, .added = {{x, 1.0f}}};
  if (added != nullptr) weigh.added.push_back({*added, 1.0f});
  return pointwise(".conv4", x.channels, both, weigh);
}

void OverlapWithAttention(GraphNetworkParts& parts) {
  parts.info.tile_grid = 6;  // windows are taken at half the size, three pixels apart
  parts.tile = 384;
  parts.overlap = 24;  // docs/models.md says what more would gain
}

}  // namespace imgmill
