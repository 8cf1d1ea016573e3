#include "torch/kernels/graph_shape.h"

#include <algorithm>

#include "torch/kernels/map_sampling.h"

namespace imgmill {
namespace {

/// Pixels of the first map.
int FirstSide(int image_side, const GraphInput& input) {
  const int multiple = std::max(input.unshuffle, input.multiple);
  return (std::max(image_side, input.least) + multiple - 1) / multiple * multiple / input.unshuffle;
}

/// Rows of a map of which each is shown twice.
RowRange Halved(RowRange rows) {
  return {rows.first >> 1, (rows.end + 1) >> 1};
}

}  // namespace

void RowRange::Cover(const RowRange& other) {
  if (first == end) *this = other;
  first = std::min(first, other.first);
  end = std::max(end, other.end);
}

GraphShape::GraphShape(const GraphPlan& plan, int image_height, int image_width)
    : plan_(plan), sizes_(1, {FirstSide(image_height, plan.input), FirstSide(image_width, plan.input)}) {
  for (const GraphLayer& layer : plan.layers) sizes_.push_back(SizeOf(layer));
}

GraphShape::Size GraphShape::SizeOf(const GraphLayer& layer) const {
  const FeatureMap& first = layer.from.front();
  const Size from = sizes_[static_cast<size_t>(first.index)];
  switch (layer.kind) {
    case LayerKind::kConv:
      return first.doubled ? Size{2 * from.height, 2 * from.width} : from;
    case LayerKind::kDoubled:
      return {2 * from.height, 2 * from.width};
    case LayerKind::kDepthwise:
    case LayerKind::kFunction:
    case LayerKind::kScaled:
      return from;
    case LayerKind::kMean:
      return {1, 1};
    case LayerKind::kResized:
      return sizes_[static_cast<size_t>(layer.like)];
    case LayerKind::kStrided:
    case LayerKind::kMaxPool:
      break;
  }
  return {Windows(from.height, layer.side, layer.stride), Windows(from.width, layer.side, layer.stride)};
}

int GraphShape::Blocks(int stage) const {
  if (!IsLayer(stage) || LayerOf(stage).kind != LayerKind::kConv) return 1;
  return TileBlocks(TileCount(Width(stage)));
}

GraphShape::Reads GraphShape::ReadsOf(int stage, RowRange rows) const {
  Reads reads;
  if (stage == 0) return reads;
  if (!IsLayer(stage)) {
    reads.Add(plan_.output.map.index, rows);
    if (plan_.output.adds_input) reads.Add(0, rows);
    return reads;
  }
  const GraphLayer& layer = LayerOf(stage);
  const FeatureMap& first = layer.from.front();
  switch (layer.kind) {
    case LayerKind::kConv:
    case LayerKind::kDepthwise: {
      const int reach = layer.side / 2;
      const RowRange around = {rows.first - reach, rows.end + reach};
      for (const FeatureMap& map : layer.from) reads.Add(map.index, map.doubled ? Halved(around) : around);
      break;
    }
    case LayerKind::kDoubled:
      reads.Add(first.index, Halved(rows));
      break;
    case LayerKind::kFunction:
      reads.Add(first.index, rows);
      break;
    case LayerKind::kScaled:
      reads.Add(first.index, rows);
      for (size_t one = 1; one < layer.from.size(); ++one) reads.Add(layer.from[one].index, {0, 1});
      break;
    case LayerKind::kStrided:
    case LayerKind::kMaxPool:
      reads.Add(first.index, {rows.first * layer.stride, (rows.end - 1) * layer.stride + layer.side});
      break;
    case LayerKind::kMean:
    case LayerKind::kResized:
      reads.Add(first.index, {0, Height(first.index)});
      break;
  }
  for (const AddedMap& added : layer.added) reads.Add(added.map.index, rows);
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
