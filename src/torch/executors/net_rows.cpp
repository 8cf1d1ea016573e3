#include "torch/executors/net_rows.h"

#include <algorithm>

#include "torch/architectures/dy_sample.h"
#include "torch/architectures/same_bits.h"
#include "torch/executors/graph_bands.h"

namespace imgmill {
namespace {

torch::Tensor Sloped(torch::Tensor x, const NetLayer& layer) {
  if (layer.slopes.defined()) return torch::prelu(x, layer.slopes);
  if (layer.slope == 1) return x;
  return layer.slope == 0 ? x.relu_() : torch::leaky_relu_(x, layer.slope);
}

/// A map of one pixel: factors and, behind their padding, shifts, N x C each.
torch::Tensor OnePixel(const torch::Tensor& factors, const torch::Tensor& shifts, c10::ScalarType type) {
  const int64_t channels = factors.size(1);
  const int64_t padding = PaddedChannels(static_cast<int>(channels)) - channels;
  return torch::cat({torch::constant_pad_nd(factors, {0, padding}), shifts}, 1)
      .to(type)
      .view({factors.size(0), -1, 1, 1});
}

}  // namespace

torch::Tensor Applied(MapFunction function, torch::Tensor x) {
  switch (function) {
    case MapFunction::kNone:
      break;
    case MapFunction::kSigmoid:
      return x.sigmoid();
    case MapFunction::kTanh:
      return x.tanh();
    case MapFunction::kGelu:
      return torch::gelu(x);
  }
  return x;
}

void NetRows::Forget(int stage, int first) {
  for (const GraphShape::Read& read : shape_.ReadsOf(stage, {0, 1})) {
    if (read.map >= first && last_reads_[static_cast<size_t>(read.map)] == stage) Keep(read.map, {}, 0);
  }
}

torch::Tensor NetRows::RowsOf(const FeatureMap& map, RowRange rows) const {
  const Made& made = maps_[static_cast<size_t>(map.index)];
  torch::Tensor x = made.rows;
  if (map.first > 0 || map.channels < x.size(1)) x = x.narrow(1, map.first, map.channels);
  if (!map.doubled) return x.narrow(2, rows.first - made.first, rows.count());
  const int first = rows.first >> 1, end = (rows.end + 1) >> 1;
  x = x.narrow(2, first - made.first, end - first);
  x = torch::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  return x.narrow(2, rows.first - 2 * first, rows.count());
}

/// What is added to those rows of what a layer gives.
torch::Tensor NetRows::Added(const AddedMap& added, RowRange rows) const {
  torch::Tensor x = RowsOf(added.map, {rows.first + added.margin, rows.end + added.margin});
  return added.margin == 0 ? x : x.narrow(3, added.margin, x.size(3) - 2 * added.margin);
}
torch::Tensor NetRows::WithAdded(torch::Tensor x, const GraphLayer& layer, RowRange rows, size_t from) const {
  for (size_t n = from; n < layer.added.size(); ++n)
    x.add_(Added(layer.added[n], rows), layer.added[n].scale);
  return x;
}

torch::Tensor NetRows::Make(int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const FeatureMap& first = layer.from.front();
  const auto read = [&](const FeatureMap& map) { return RowsOf(map, rows); };
  switch (layer.kind) {
    case LayerKind::kWide:
      if (layer.partial) return InPart(stage, rows);
      [[fallthrough]];
    case LayerKind::kConv:
    case LayerKind::kDepthwise:
      return Ended(Convolved(stage, rows), stage, rows);
    case LayerKind::kStrided:
      return Sloped(
          Conv2d(Windowed(layer, rows), layers_[stage].weight, layers_[stage].bias, {.stride = layer.stride}),
          layers_[stage]);
    case LayerKind::kMaxPool:
      return torch::max_pool2d(Windowed(layer, rows), {layer.side, layer.side}, {layer.stride, layer.stride});
    case LayerKind::kDoubled:
      return Doubled(stage, rows);
    case LayerKind::kShuffled:
      return WithAdded(Shuffled(stage, rows), layer, rows);
    case LayerKind::kMean:
      return Whole(first).mean({2, 3}, /*keepdim=*/true);
    case LayerKind::kGroupNorm:
      return GroupFactors(stage);
    case LayerKind::kEnergyNorm:
      return EnergyFactors(stage);
    case LayerKind::kChosen:
      return Chosen(layer);
    case LayerKind::kFunction:
      return Applied(layer.function, read(first));
    case LayerKind::kNormalized:
      return Normalized(stage, rows);
    case LayerKind::kScaled:
      return Scaled(layer, rows);
    case LayerKind::kProduct:
      return read(first) * read(layer.from[1]);
    case LayerKind::kPooled:
      return Pooled(stage, rows);
    case LayerKind::kSampled:
      return Sampled(stage, rows);
    case LayerKind::kResized:
      break;
  }
  return Resized(stage, rows);
}

torch::Tensor NetRows::Doubled(int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const RowRange seen = {rows.first >> 1, (rows.end + 1) >> 1};
  torch::Tensor x = Conv2d(RowsOf(layer.from.front(), seen), layers_[stage].weight, layers_[stage].bias);
  x = torch::pixel_shuffle(Sloped(std::move(x), layers_[stage]), 2);
  return WithAdded(x.narrow(2, rows.first - 2 * seen.first, rows.count()), layer, rows);
}

torch::Tensor NetRows::Normalized(int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  // By the pixel, whose channels lie together.
  const torch::Tensor x = RowsOf(layer.from.front(), rows).permute({0, 2, 3, 1});
  return torch::layer_norm(x, {x.size(3)}, layers_[stage].slopes, layers_[stage].bias, layer.epsilon)
      .permute({0, 3, 1, 2});
}

torch::Tensor NetRows::Scaled(const GraphLayer& layer, RowRange rows) const {
  torch::Tensor x = RowsOf(layer.from.front(), rows) * RowsOf(layer.from[1], {0, 1});
  if (layer.from.size() > 2) x.add_(RowsOf(layer.from[2], {0, 1}));
  return WithAdded(std::move(x), layer, rows);
}

torch::Tensor NetRows::Pooled(int stage, RowRange rows) const {
  const torch::Tensor x = Whole(shape_.LayerOf(stage).from.front());
  return std::get<0>(torch::adaptive_max_pool2d(x, {shape_.Height(stage), shape_.Width(stage)}))
      .narrow(2, rows.first, rows.count());
}

torch::Tensor NetRows::Resized(int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const torch::Tensor x = Whole(layer.from.front());
  const int64_t height = shape_.Height(stage), width = shape_.Width(stage);
  const torch::Tensor large = layer.resizing == Resizing::kNearest
                                  ? torch::upsample_nearest2d(x, {height, width})
                                  : EnlargedBilinear(x, height, width);
  return WithAdded(large.narrow(2, rows.first, rows.count()), layer, rows);
}

torch::Tensor NetRows::Chosen(const GraphLayer& layer) const {
  const torch::Tensor scores = Whole(layer.from.front());
  const torch::Tensor shares = torch::softmax(scores.flatten(1).to(torch::kFloat32), 1);
  const auto [share, best] = shares.max(1, /*keepdim=*/true);
  const torch::Tensor alone = torch::zeros_like(shares).scatter_(1, best, share);
  std::vector<torch::Tensor> each;
  for (size_t n = 0; n < layer.widths.size(); ++n)
    each.push_back(alone.narrow(1, static_cast<int64_t>(n), 1).expand({-1, layer.widths[n]}));
  return torch::cat(each, 1).to(scores.scalar_type()).unsqueeze(2).unsqueeze(3);
}

/// In float32, since half precision has no sums of whole maps.
torch::Tensor NetRows::GroupFactors(int stage) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const NetLayer& net = layers_[stage];
  const torch::Tensor x = Whole(layer.from.front());
  const int64_t n = x.size(0), channels = x.size(1), groups = layer.groups;
  const GroupMoments moments = MomentsOfGroups(x, groups, layer.epsilon);
  const torch::Tensor factors =
      net.slopes.to(torch::kFloat32).view({1, groups, -1}) * moments.factor.unsqueeze(2);
  const torch::Tensor shifts =
      net.bias.to(torch::kFloat32).view({1, groups, -1}) - moments.mean.unsqueeze(2) * factors;
  return OnePixel(factors.reshape({n, channels}), shifts.reshape({n, channels}), x.scalar_type());
}

/// The same.
torch::Tensor NetRows::EnergyFactors(int stage) const {
  const NetLayer& net = layers_[stage];
  const torch::Tensor x = Whole(shape_.LayerOf(stage).from.front());
  const torch::Tensor energy = torch::norm(x.to(torch::kFloat32), 2, {2, 3});
  const torch::Tensor share = energy / (energy.mean(1, /*keepdim=*/true) + shape_.LayerOf(stage).epsilon);
  return OnePixel(net.slopes.to(torch::kFloat32) * share + 1,
                  net.bias.to(torch::kFloat32).expand({x.size(0), -1}), x.scalar_type());
}

/// In float32: half precision has no place between two pixels of a wide image.
torch::Tensor NetRows::Sampled(int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const torch::Tensor x = Whole(layer.from.front());
  const int64_t scale = layer.stride;
  const RowRange seen = {rows.first / layer.stride, (rows.end - 1) / layer.stride + 1};
  torch::Tensor places =
      RowsOf(layer.from[1], seen).to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true);
  places.mul_(0.5).add_(layers_[stage].weight);
  return SampledRows(x, std::move(places), seen.first, scale, layer.groups)
      .narrow(2, rows.first - seen.first * scale, rows.count());
}

/// What the windows of a layer without padding see.
torch::Tensor NetRows::Windowed(const GraphLayer& layer, RowRange rows) const {
  return RowsOf(layer.from.front(), {rows.first * layer.stride, (rows.end - 1) * layer.stride + layer.side});
}

torch::Tensor NetRows::Convolved(int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const int reach = layer.side / 2;
  const RowRange around = {rows.first - reach + layer.margin, rows.end + reach + layer.margin};
  const FeatureMap& first = layer.from.front();
  const int height = shape_.Height(first.index) * (first.doubled ? 2 : 1);
  const RowRange seen = Within(around, height);
  std::vector<torch::Tensor> maps;
  for (const FeatureMap& map : layer.from) maps.push_back(RowsOf(map, seen));
  torch::Tensor x = maps.size() == 1 ? maps.front() : torch::cat(maps, 1);
  if (layer.partial) x = x.narrow(1, 0, layer.conv.out_channels);
  const int64_t above = seen.first - around.first, below = around.end - seen.end;
  Conv2dShape shape;
  shape.padding_width = layer.margin > 0 ? 0 : reach;
  if (layer.kind == LayerKind::kDepthwise) {
    shape.padding_width = layer.across / 2;
    shape.groups = layer.conv.out_channels;
  }
  if (above == below) {
    shape.padding_height = above;
  } else {
    x = torch::constant_pad_nd(x, {0, 0, above, below});
  }
  return Conv2d(x, layers_[stage].weight, layers_[stage].bias, shape);
}

/// A convolution of the first channels, and the others as they are.
torch::Tensor NetRows::InPart(int stage, RowRange rows) const {
  const torch::Tensor all = RowsOf(shape_.LayerOf(stage).from.front(), rows);
  const torch::Tensor made = Sloped(Convolved(stage, rows), layers_[stage]);
  const torch::Tensor rest = all.narrow(1, made.size(1), all.size(1) - made.size(1));
  return WithAdded(torch::cat({made, rest}, 1), shape_.LayerOf(stage), rows);
}

/// @param x  a convolution's values, this call's own
torch::Tensor NetRows::Ended(torch::Tensor x, int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const ConvLayer& conv = layer.conv;
  const auto gained = [&](torch::Tensor values) {
    if (conv.gain != 1) values.mul_(conv.gain);
    if (conv.shift != 0) values.add_(conv.shift);
    return WithAdded(std::move(values), layer, rows);
  };
  switch (conv.end) {
    case ConvEnd::kSlope:
      break;
    case ConvEnd::kSilu:
      return gained(torch::silu_(x));
    case ConvEnd::kGelu:
      return gained(torch::gelu(x));
    case ConvEnd::kMish:
      x = torch::mish_(x);
      return gained(layers_[stage].slopes.defined() ? x.mul_(layers_[stage].slopes.view({1, -1, 1, 1}))
                                                    : x.mul_(layers_[stage].slope));
    case ConvEnd::kGate:
      return (Added(layer.added.front(), rows) + x).mul_(torch::sigmoid(x).sub_(0.5));
    case ConvEnd::kWeigh:
      return WithAdded(x.sigmoid_().mul_(Added(layer.added.front(), rows)), layer, rows, 1);
    case ConvEnd::kWeighGelu:
      return WithAdded(torch::gelu(x).mul_(Added(layer.added.front(), rows)), layer, rows, 1);
    case ConvEnd::kSumSlope:
      return Sloped(gained(std::move(x)), layers_[stage]);
    case ConvEnd::kSumGelu:
      return torch::gelu(gained(std::move(x)));
  }
  return gained(Sloped(std::move(x), layers_[stage]));
}

/// Squares of pixels put in place. Each of a square's pixels has all channels, with padding.
torch::Tensor NetRows::Shuffled(int stage, RowRange rows) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const int side = layer.stride;
  const int64_t channels = plan_.channels[static_cast<size_t>(stage)];
  const int64_t padded = PaddedChannels(static_cast<int>(channels));
  const RowRange seen = {rows.first / side, (rows.end - 1) / side + 1};
  torch::Tensor x = RowsOf(layer.from.front(), seen);
  const int64_t lacking = padded * side * side - x.size(1);
  if (lacking > 0) x = torch::constant_pad_nd(x, {0, 0, 0, 0, 0, lacking});
  x = x.permute({0, 2, 3, 1}).reshape({x.size(0), x.size(2), x.size(3), side, side, padded});
  x = x.narrow(5, 0, channels).permute({0, 1, 3, 2, 4, 5});
  x = x.reshape({x.size(0), x.size(1) * side, x.size(3) * side, channels}).permute({0, 3, 1, 2});
  return x.narrow(2, rows.first - seen.first * side, rows.count()).narrow(3, 0, shape_.Width(stage));
}

}  // namespace imgmill
