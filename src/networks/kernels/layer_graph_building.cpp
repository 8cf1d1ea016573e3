// How the layers of a LayerGraph are written down, and their weights kept.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "networks/kernels/graph_shape.h"
#include "networks/kernels/layer_graph.h"

namespace imgmill {

LayerGraph::LayerGraph(Input input) {
  plan_.channels.push_back(input.bands * input.unshuffle * input.unshuffle +
                           static_cast<int>(input.told.size()));
  plan_.input = std::move(input);
}

FeatureMap LayerGraph::Add(GraphLayer layer, int channels) {
  const bool apart = layer.kind == LayerKind::kDepthwise;
  const bool gated = Gates(layer.conv.end);
  const bool doubled =
      std::any_of(layer.from.begin(), layer.from.end(), [](const FeatureMap& map) { return map.doubled; });
  if (layer.from.size() > kMostConvInputs || layer.added.size() > kMostConvAdded ||
      (apart && (std::max(layer.side, layer.across) > kMostDepthwiseSide || gated)) ||
      (gated && layer.conv.shift != 0) || (doubled && layer.margin > 0))
    throw std::logic_error("a layer of a graph that the kernels have no form of");
  plan_.layers.push_back(std::move(layer));
  plan_.channels.push_back(channels);
  return {static_cast<int>(plan_.layers.size()), 0, channels, false};
}

/// Bias and slope with padding, and what else becomes of the values.
void LayerGraph::KeepEnds(const GraphConv& conv, GraphLayer& layer) {
  const int padded = PaddedChannels(conv.out_channels);
  layer.ends = Buffer(static_cast<size_t>(2 * padded) * sizeof(float));
  float *bias = reinterpret_cast<float*>(layer.ends.data()), *slope = bias + padded;
  for (int k = 0; k < padded; ++k) {
    const bool real = k < conv.out_channels;
    bias[k] = real && conv.bias != nullptr ? conv.bias[k] : 0.0f;
    slope[k] = real && conv.slope != nullptr ? conv.slope[k] : conv.common_slope;
  }
  layer.from = conv.from;
  layer.side = conv.side;
  layer.conv.in_channels = static_cast<int>(layer.packed_from.size());
  layer.conv.out_channels = conv.out_channels;
  layer.conv.bias = bias;
  layer.conv.slope = slope;
  layer.conv.end = conv.end;
  layer.conv.gain = conv.gain;
  layer.conv.shift = conv.shift;
  layer.added = conv.added;
}

/// These, and weights as they are.
void LayerGraph::KeepWeights(const GraphConv& conv, GraphLayer& layer) {
  if (conv.across > 0 && conv.across != conv.side) throw std::logic_error("a kernel of a graph is no square");
  int inputs = 0;
  for (const FeatureMap& map : conv.from) inputs += conv.partial ? conv.out_channels : map.channels;
  const size_t values = static_cast<size_t>(conv.out_channels) * static_cast<size_t>(inputs) *
                        static_cast<size_t>(conv.side * conv.side);
  layer.weights = Buffer(values * sizeof(float));
  std::memcpy(layer.weights.data(), conv.weights, values * sizeof(float));
  KeepEnds(conv, layer);
}

FeatureMap LayerGraph::Add(const GraphConv& conv) {
  if (conv.side > 3 || conv.partial) {
    const bool simple = conv.from.size() == 1 && conv.end == ConvEnd::kSlope && conv.gain == 1 &&
                        conv.shift == 0 && conv.padded;
    if (!simple || conv.from.front().doubled)
      throw std::logic_error("a wide layer of a graph is too much else");
    return AddOverWindow(conv, LayerKind::kWide, 1);
  }
  GraphLayer layer;
  for (size_t n = 0; n < conv.from.size(); ++n) {
    const FeatureMap& map = conv.from[n];
    for (int c = 0; c < map.channels; ++c) layer.packed_from.push_back(layer.file_channels++);
    if (n + 1 < conv.from.size())
      layer.packed_from.resize(
          layer.packed_from.size() + static_cast<size_t>(PaddedChannels(map.channels) - map.channels), -1);
  }
  KeepWeights(conv, layer);
  if (!conv.padded) layer.margin = conv.side / 2;
  return Add(std::move(layer), conv.out_channels);
}

FeatureMap LayerGraph::AddStrided(const GraphConv& conv, int stride) {
  return AddOverWindow(conv, LayerKind::kStrided, stride);
}

FeatureMap LayerGraph::AddOverWindow(const GraphConv& conv, LayerKind kind, int stride) {
  if (conv.side > kMostWindowSide) throw std::logic_error("a window of a graph is too large");
  GraphLayer layer;
  layer.kind = kind;
  layer.stride = stride;
  layer.partial = conv.partial;
  // Dense over the window's pixels, one behind the other, each with its padding; in the file a channel's
  // weights for all of them stand together.
  const int all = conv.from.front().channels, window = conv.side * conv.side;
  const int channels = conv.partial ? conv.out_channels : all;
  if (channels > all) throw std::logic_error("a layer of a graph gives more channels in part than in all");
  for (int pixel = 0; pixel < window; ++pixel) {
    for (int c = 0; c < PaddedChannels(channels); ++c)
      layer.packed_from.push_back(c < channels ? c * window + pixel : -1);
  }
  layer.file_channels = channels * window;
  KeepWeights(conv, layer);
  return Add(std::move(layer), conv.partial ? all : conv.out_channels);
}

FeatureMap LayerGraph::AddDoubled(const GraphConv& conv) {
  GraphLayer layer;
  layer.kind = LayerKind::kDoubled;
  layer.file_channels = conv.from.front().channels;
  for (int c = 0; c < PaddedChannels(layer.file_channels); ++c)
    layer.packed_from.push_back(c < layer.file_channels ? c : -1);
  GraphConv all = conv;
  all.side = 1;
  all.out_channels = 4 * conv.out_channels;
  std::vector<float> slopes;  // the same at each of the four pixels
  for (int pixel = 0; pixel < 4 && conv.slope != nullptr; ++pixel)
    slopes.insert(slopes.end(), conv.slope, conv.slope + conv.out_channels);
  if (conv.slope != nullptr) all.slope = slopes.data();
  KeepWeights(all, layer);
  return Add(std::move(layer), conv.out_channels);
}

FeatureMap LayerGraph::AddShuffled(const FeatureMap& from, int side, int channels, int trimmed,
                                   const std::vector<AddedMap>& added) {
  GraphLayer layer;
  layer.kind = LayerKind::kShuffled;
  layer.from = {from};
  layer.stride = side;
  layer.trimmed = trimmed;
  layer.added = added;
  return Add(std::move(layer), channels);
}

/// Weights are kept by the window's pixels, each of all channels with padding.
FeatureMap LayerGraph::AddDepthwise(const GraphConv& conv) {
  GraphLayer layer;
  layer.kind = LayerKind::kDepthwise;
  layer.across = conv.across > 0 ? conv.across : conv.side;
  const int window = conv.side * layer.across, padded = PaddedChannels(conv.out_channels);
  KeepEnds(conv, layer);
  layer.weights = Buffer(static_cast<size_t>(window) * static_cast<size_t>(padded) * sizeof(float));
  auto* to = reinterpret_cast<float*>(layer.weights.data());
  for (int pixel = 0; pixel < window; ++pixel) {
    for (int c = 0; c < padded; ++c) *to++ = c < conv.out_channels ? conv.weights[c * window + pixel] : 0.0f;
  }
  layer.conv.weights = reinterpret_cast<const float*>(layer.weights.data());
  return Add(std::move(layer), conv.out_channels);
}

FeatureMap LayerGraph::AddMean(const FeatureMap& from) {
  GraphLayer layer;
  layer.kind = LayerKind::kMean;
  layer.from = {from};
  return Add(std::move(layer), from.channels);
}

FeatureMap LayerGraph::AddChosen(const FeatureMap& scores, const std::vector<int>& widths) {
  if (widths.empty() || static_cast<size_t>(scores.channels) != widths.size())
    throw std::logic_error("a layer of a graph chooses among others than it has scores of");
  GraphLayer layer;
  layer.kind = LayerKind::kChosen;
  layer.from = {scores};
  layer.widths = widths;
  return Add(std::move(layer), std::accumulate(widths.begin(), widths.end(), 0));
}

FeatureMap LayerGraph::AddFunction(const FeatureMap& from, MapFunction function) {
  GraphLayer layer;
  layer.kind = LayerKind::kFunction;
  layer.from = {from};
  layer.function = function;
  return Add(std::move(layer), from.channels);
}

GraphLayer LayerGraph::Normalizing(const FeatureMap& from, const float* weight, const float* bias,
                                   float epsilon) {
  GraphLayer layer;
  layer.kind = LayerKind::kNormalized;
  layer.epsilon = epsilon;
  GraphConv ends;
  ends.from = {from};
  ends.out_channels = from.channels;
  ends.bias = bias;
  ends.slope = weight;
  KeepEnds(ends, layer);
  return layer;
}

FeatureMap LayerGraph::AddNormalized(const FeatureMap& from, const float* weight, const float* bias,
                                     float epsilon) {
  return Add(Normalizing(from, weight, bias, epsilon), from.channels);
}

FeatureMap LayerGraph::AddGroupNorm(const FeatureMap& from, int groups, const float* weight,
                                    const float* bias, float epsilon) {
  if (groups < 1 || from.channels % groups != 0)
    throw std::logic_error("channels of a graph are in no whole groups");
  GraphLayer layer = Normalizing(from, weight, bias, epsilon);
  layer.kind = LayerKind::kGroupNorm;
  layer.groups = groups;
  return Add(std::move(layer), PaddedChannels(from.channels) + from.channels);
}

FeatureMap LayerGraph::AddEnergyNorm(const FeatureMap& from, const float* weight, const float* bias,
                                     float epsilon) {
  GraphLayer layer = Normalizing(from, weight, bias, epsilon);
  layer.kind = LayerKind::kEnergyNorm;
  return Add(std::move(layer), PaddedChannels(from.channels) + from.channels);
}

FeatureMap LayerGraph::AddScaled(const FeatureMap& from, const FeatureMap& factors,
                                 const std::optional<FeatureMap>& shifts,
                                 const std::vector<AddedMap>& added) {
  GraphLayer layer;
  layer.kind = LayerKind::kScaled;
  layer.from = {from, factors};
  if (shifts) layer.from.push_back(*shifts);
  layer.added = added;
  return Add(std::move(layer), from.channels);
}

FeatureMap LayerGraph::AddProduct(const FeatureMap& one, const FeatureMap& other) {
  GraphLayer layer;
  layer.kind = LayerKind::kProduct;
  layer.from = {one, other};
  return Add(std::move(layer), one.channels);
}

FeatureMap LayerGraph::AddMaxPool(const FeatureMap& from, int side, int stride) {
  if (side > kMostWindowSide) throw std::logic_error("a window of a graph is too large");
  GraphLayer layer;
  layer.kind = LayerKind::kMaxPool;
  layer.from = {from};
  layer.side = side;
  layer.stride = stride;
  return Add(std::move(layer), from.channels);
}

FeatureMap LayerGraph::AddPooled(const FeatureMap& from, int side) {
  GraphLayer layer;
  layer.kind = LayerKind::kPooled;
  layer.from = {from};
  layer.stride = side;
  return Add(std::move(layer), from.channels);
}

FeatureMap LayerGraph::AddResized(const FeatureMap& from, const FeatureMap& like, Resizing resizing,
                                  const std::vector<AddedMap>& added) {
  GraphLayer layer;
  layer.added = added;
  layer.resizing = resizing;
  layer.kind = LayerKind::kResized;
  layer.from = {from};
  layer.like = like.index;
  return Add(std::move(layer), from.channels);
}

FeatureMap LayerGraph::AddSampled(const FeatureMap& from, const FeatureMap& places, int scale, int groups,
                                  const float* start) {
  if (groups < 1 || from.channels % groups != 0 || places.channels != 2 * groups * scale * scale)
    throw std::logic_error("a layer of a graph is told other places than it looks at");
  GraphLayer layer;
  layer.kind = LayerKind::kSampled;
  layer.from = {from, places};
  layer.stride = scale;
  layer.groups = groups;
  layer.weights = Buffer(static_cast<size_t>(places.channels) * sizeof(float));
  std::memcpy(layer.weights.data(), start, layer.weights.size());
  return Add(std::move(layer), from.channels);
}

void LayerGraph::Finish(GraphOutput output, std::optional<size_t> most_packed) {
  plan_.output = output;
  last_.reset();
  if (output.adds_input == InputAdded::kBilinear && (plan_.input.margin > 0 || plan_.input.unshuffle > 1))
    throw std::logic_error("a graph adds an image, enlarged, that has no pixels of its own");
  const GraphShape smallest(plan_, 1, 1);
  for (int map = 0; map + 1 < smallest.stages(); ++map) {
    if (smallest.Height(map) < 1 || smallest.Width(map) < 1)
      throw std::logic_error("a graph's windows do not fit into the smallest image that it continues");
  }
  // Beside an image of this size, what margins and windows add or take is nothing.
  constexpr int kLarge = 1 << 16;
  const GraphShape large(plan_, kLarge, kLarge);
  plan_.scale = (large.Rows(large.stages() - 1) * output.shuffle + kLarge / 2) / kLarge;
  // Sides with every remainder that squares and windows leave.
  for (int side = 1; side <= 64; ++side) {
    const GraphShape shape(plan_, side, side);
    if (shape.Rows(shape.stages() - 1) * output.shuffle < side * plan_.scale)
      throw std::logic_error("a graph gives fewer pixels than its scale says");
  }
  size_t packed = 0;
  for (const GraphLayer& layer : plan_.layers) packed += layer.packed_floats();
  plan_.most_packed = most_packed.value_or(packed <= kMostPackedAlone ? packed : kMostPacked);
  stretches_ = StretchesOf(plan_);
}

int LayerGraph::radius() const {
  return RadiusOf(plan_);
}

size_t LayerGraph::weight_bytes() const noexcept {
  size_t bytes = 0;
  for (const GraphLayer& layer : plan_.layers) bytes += layer.weights.size() + layer.ends.size();
  return bytes;
}

}  // namespace imgmill
