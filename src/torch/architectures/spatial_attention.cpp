#include "torch/architectures/spatial_attention.h"

#include <algorithm>
#include <array>

#include "torch/architectures/same_bits.h"

namespace imgmill {
namespace {

// Windows of the map that is pooled, which has half the size already.
constexpr int kHalving = 2, kWindow = 7, kApart = 3;

}  // namespace

Convolution Pointwise(Layers& layers, const std::string& name, int64_t out, int64_t in, bool matrix) {
  if (!matrix) return layers.Conv(name, out, in, 1);
  const Linear stored = layers.Dense(name, out, in);
  Convolution layer;
  layer.shape.side = 1;
  layer.bias = stored.bias;
  if (stored.weight.defined())
    layer.weight = stored.weight.view({out, in, 1, 1}).contiguous(torch::MemoryFormat::ChannelsLast);
  return layer;
}

SpatialConv::SpatialConv(Layers& layers, const std::string& name, int64_t out, int64_t in, bool separable) {
  if (separable) {
    point_ = Pointwise(layers, name + ".pw", out, in, true);
    conv_ = layers.Conv(name + ".dw", out, out, ConvShape{.groups = out});
  } else {
    conv_ = layers.Conv(name, out, in);
  }
}

SpatialAttention::SpatialAttention(Layers& layers, const std::string& name, int64_t features,
                                   const AttentionKind& kind)
    : gelu_(kind.gelu) {
  const int64_t inner = std::max<int64_t>(1, layers.Outputs(name + ".conv1.weight"));
  narrow_ = Pointwise(layers, name + ".conv1", inner, features, kind.separable);
  halve_ = layers.Conv(name + ".conv2", inner, inner, ConvShape{.stride = kHalving, .padding = 0});
  const auto small = [&](const char* layer) {
    small_.emplace_back(layers, name + layer, inner, inner, kind.separable);
  };
  if (kind.three_layers) small(".conv_max");
  small(".conv3");
  if (kind.three_layers) small(".conv3_");
  beside_ = Pointwise(layers, name + ".conv_f", inner, inner, kind.separable);
  widen_ = Pointwise(layers, name + ".conv4", features, inner, kind.separable);
}

torch::Tensor SpatialAttention::operator()(torch::Tensor x) const {
  const torch::Tensor narrow = narrow_(x);
  torch::Tensor pooled = torch::max_pool2d(halve_(narrow), {kWindow, kWindow}, {kApart, kApart});
  for (size_t i = 0; i < small_.size(); ++i) {
    pooled = small_[i](pooled);
    if (i + 1 < small_.size()) pooled = gelu_ ? torch::gelu(pooled) : pooled.relu_();
  }
  torch::Tensor mask = EnlargedBilinear(pooled, x.size(2), x.size(3));
  mask = widen_(mask.add_(beside_(narrow)));
  return x.mul_(mask.sigmoid_());
}

FeatureMap AddSpatialConv(GraphBuilder& graph, const std::string& name, int out,
                          const std::vector<FeatureMap>& from, bool separable, const GraphEnd& end) {
  if (!separable) return graph.Conv(name, out, from, end);
  int64_t in = 0;
  for (const FeatureMap& map : from) in += map.channels;
  const FeatureMap x = graph.Conv(Pointwise(graph.layers(), name + ".pw", out, in, true), from);
  return graph.Depthwise(graph.layers().Conv(name + ".dw", out, out, ConvShape{.groups = out}), x, end);
}

FeatureMap AddAttention(GraphBuilder& graph, const std::string& name, const FeatureMap& x,
                        const AttentionKind& kind, const FeatureMap* added) {
  const int inner = static_cast<int>(std::max<int64_t>(1, graph.layers().Outputs(name + ".conv1.weight")));
  const auto pointwise = [&](const char* layer, int out, const FeatureMap& from, const GraphEnd& end) {
    return graph.Conv(Pointwise(graph.layers(), name + layer, out, from.channels, kind.separable), {from},
                      end);
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
  const FeatureMap mask = graph.Resized(small, x);
  const FeatureMap both = pointwise(".conv_f", inner, narrow, {.added = {{mask, 1.0f}}});
  GraphEnd weigh = {.end = ConvEnd::kWeigh, .added = {{x, 1.0f}}};
  if (added != nullptr) weigh.added.push_back({*added, 1.0f});
  return pointwise(".conv4", x.channels, both, weigh);
}

UpscaleNetworkParts PartsWithAttention(ModelInfo info) {
  UpscaleNetworkParts parts;
  info.receptive_radius = -1;
  info.tile_grid = 6;  // windows are taken at half the size, three pixels apart
  parts.info = std::move(info);
  parts.tile = 384;
  parts.overlap = 24;  // docs/models.md says what more would gain
  return parts;
}

torch::Tensor WithRoomForAttention(const torch::Tensor& x) {
  const int64_t below = std::max<int64_t>(0, kLeastForAttention - x.size(2));
  const int64_t right = std::max<int64_t>(0, kLeastForAttention - x.size(3));
  if (below == 0 && right == 0) return x;
  const std::array<int64_t, 4> sides = {0, right, 0, below};
  const bool mirrors = below < x.size(2) && right < x.size(3);
  return mirrors ? torch::reflection_pad2d(x, sides) : torch::replication_pad2d(x, sides);
}

}  // namespace imgmill
