#include "networks/kernels/graph_shape.h"

#include <algorithm>
#include <cstdlib>

#include "networks/kernels/map_resizing.h"
#include "networks/kernels/map_sampling.h"

namespace imgmill {
namespace {

int RoundedUp(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Pixels of the first map.
int FirstSide(int image_side, const GraphInput& input) {
  return RoundedUp(ContinuedSide(image_side, input) + 2 * input.margin, input.margin_multiple) /
         input.unshuffle;
}

/// Rows of a map of which each is shown twice.
RowRange Halved(RowRange rows) {
  return {rows.first >> 1, (rows.end + 1) >> 1};
}

/// Rows of `size` that those of `wanted` lie between. Above the first one it goes on evenly.
RowRange Interpolated(RowRange rows, int size, int wanted) {
  const auto above = [&](int row) {
    if (row >= 0) return Between(row, size, wanted).first;
    const int64_t twice = int64_t{2 * row + 1} * size - wanted;
    return -static_cast<int>((-twice + 2 * int64_t{wanted} - 1) / (2 * int64_t{wanted}));
  };
  return {above(rows.first), std::min(size, above(rows.end - 1) + 2)};
}

/// Rows of `size` that those of `wanted` show.
RowRange Nearest(RowRange rows, int size, int wanted) {
  const auto shown = [&](int row) {
    return row >= 0 ? NearestTo(row, size, wanted) : FloorDivided(int64_t{row} * size, wanted);
  };
  return {shown(rows.first), shown(rows.end - 1) + 1};
}

}  // namespace

int ContinuedSide(int image_side, const GraphInput& input) {
  return RoundedUp(std::max(image_side, input.least), std::max(input.unshuffle, input.multiple));
}

int SourceOf(int at, int image_side, const GraphInput& input, bool mirrors) {
  const int side = ContinuedSide(image_side, input);
  at = std::abs(at - input.margin);
  if (at >= side) at = 2 * (side - 1) - at;
  if (at < image_side) return at;
  const int mirrored = 2 * (image_side - 1) - at;
  switch (input.continued) {
    case Continuation::kMirror:
      return std::max(0, mirrored);
    case Continuation::kLast:
      return image_side - 1;
    case Continuation::kBlack:
      return -1;
    case Continuation::kMirrorOrLast:
      break;
  }
  return mirrors ? mirrored : image_side - 1;
}

void RowRange::Cover(const RowRange& other) {
  if (first == end) *this = other;
  first = std::min(first, other.first);
  end = std::max(end, other.end);
}

GraphShape::GraphShape(const GraphPlan& plan, int image_height, int image_width)
    : plan_(plan), sizes_(1, {FirstSide(image_height, plan.input), FirstSide(image_width, plan.input)}) {
  for (const GraphLayer& layer : plan.layers) sizes_.push_back(SizeOf(layer));
  past_.resize(sizes_.size(), 0);
  for (const GraphLayer& layer : plan.layers) {
    if (layer.margin == 0) continue;
    for (const FeatureMap& map : layer.from) past_[static_cast<size_t>(map.index)] = 1;
  }
}

GraphShape::Size GraphShape::SizeOf(const GraphLayer& layer) const {
  const FeatureMap& first = layer.from.front();
  const Size from = sizes_[static_cast<size_t>(first.index)];
  switch (layer.kind) {
    case LayerKind::kConv:
      if (first.doubled) return {2 * from.height, 2 * from.width};
      return {from.height - 2 * layer.margin, from.width - 2 * layer.margin};
    case LayerKind::kDoubled:
      return {2 * from.height, 2 * from.width};
    case LayerKind::kShuffled:
      return {layer.stride * from.height - layer.trimmed, layer.stride * from.width - layer.trimmed};
    case LayerKind::kWide:
    case LayerKind::kDepthwise:
    case LayerKind::kFunction:
    case LayerKind::kNormalized:
    case LayerKind::kScaled:
    case LayerKind::kProduct:
      return from;
    case LayerKind::kMean:
    case LayerKind::kGroupNorm:
    case LayerKind::kEnergyNorm:
    case LayerKind::kChosen:
      return {1, 1};
    case LayerKind::kPooled:
      return {from.height / layer.stride, from.width / layer.stride};
    case LayerKind::kResized:
      return sizes_[static_cast<size_t>(layer.like)];
    case LayerKind::kSampled:
      return {layer.stride * from.height, layer.stride * from.width};
    case LayerKind::kStrided:
    case LayerKind::kMaxPool:
      break;
  }
  return {Windows(from.height, layer.side, layer.stride), Windows(from.width, layer.side, layer.stride)};
}

int GraphShape::Blocks(int stage) const {
  if (!IsLayer(stage)) return 1;
  switch (LayerOf(stage).kind) {
    case LayerKind::kConv:
    case LayerKind::kWide:
      return TileBlocks(TileCount(Width(stage)));
    case LayerKind::kMean:
      return static_cast<int>(Stride(stage)) / kChannelPad;
    case LayerKind::kGroupNorm:
      return LayerOf(stage).groups;
    default:
      return 1;
  }
}

GraphShape::Reads GraphShape::ReadsOf(int stage, RowRange rows) const {
  Reads reads;
  if (stage == 0) return reads;
  if (!IsLayer(stage)) {
    const int margin = plan_.output.margin;
    reads.Add(plan_.output.map.index, {rows.first + margin, rows.end + margin});
    return reads;
  }
  const GraphLayer& layer = LayerOf(stage);
  const FeatureMap& first = layer.from.front();
  switch (layer.kind) {
    case LayerKind::kConv:
    case LayerKind::kWide:
    case LayerKind::kDepthwise: {
      const int reach = layer.side / 2;
      const RowRange around = {rows.first - reach + layer.margin, rows.end + reach + layer.margin};
      for (const FeatureMap& map : layer.from) reads.Add(map.index, map.doubled ? Halved(around) : around);
      break;
    }
    case LayerKind::kDoubled:
      reads.Add(first.index, Halved(rows));
      break;
    case LayerKind::kShuffled:
      reads.Add(first.index,
                {FloorDivided(rows.first, layer.stride), FloorDivided(rows.end - 1, layer.stride) + 1});
      break;
    case LayerKind::kChosen:
    case LayerKind::kFunction:
    case LayerKind::kNormalized:
    case LayerKind::kProduct:
      for (const FeatureMap& map : layer.from) reads.Add(map.index, rows);
      break;
    case LayerKind::kScaled:
      reads.Add(first.index, rows);
      for (size_t one = 1; one < layer.from.size(); ++one) reads.Add(layer.from[one].index, {0, 1});
      break;
    case LayerKind::kStrided:
    case LayerKind::kMaxPool:
      reads.Add(first.index, {rows.first * layer.stride, (rows.end - 1) * layer.stride + layer.side});
      break;
    case LayerKind::kPooled: {
      const int from = Height(first.index), to = Height(stage);
      reads.Add(first.index,
                {StretchedSquare(rows.first, from, to).first, StretchedSquare(rows.end - 1, from, to).end});
      break;
    }
    case LayerKind::kMean:
    case LayerKind::kGroupNorm:
    case LayerKind::kEnergyNorm:
      reads.Add(first.index, {0, Height(first.index)});
      break;
    case LayerKind::kSampled:
      reads.Add(first.index, {0, Height(first.index)});
      reads.Add(layer.from[1].index,
                {FloorDivided(rows.first, layer.stride), FloorDivided(rows.end - 1, layer.stride) + 1});
      break;
    case LayerKind::kResized:
      reads.Add(first.index, (layer.resizing == Resizing::kBilinear ? Interpolated : Nearest)(
                                 rows, Height(first.index), Height(layer.like)));
      break;
  }
  for (const AddedMap& added : layer.added)
    reads.Add(added.map.index, {rows.first + added.margin, rows.end + added.margin});
  return reads;
}

std::vector<int> GraphShape::LastReads() const {
  std::vector<int> last(static_cast<size_t>(stages()), 0);
  for (int stage = 0; stage < stages(); ++stage) {
    for (const Read& read : ReadsOf(stage, {0, 1})) last[static_cast<size_t>(read.map)] = stage;
  }
  return last;
}

}  // namespace imgmill
