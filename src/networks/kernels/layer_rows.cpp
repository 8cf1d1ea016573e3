#include "networks/kernels/layer_rows.h"

#include <algorithm>
#include <cstring>

#include "networks/kernels/map_resizing.h"

namespace imgmill {

void LayerRows::Pack(int stage, int block) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  ConvPacking packing;
  packing.weights = reinterpret_cast<const float*>(layer.weights.data());
  packing.file_channels = layer.file_channels;
  packing.from = layer.packed_from.data();
  packing.in_channels = layer.conv.in_channels;
  packing.out_channels = layer.conv.out_channels;
  (layer.transforms() ? kernels_.pack : kernels_.pack_1x1)(packing, block, maps_.Packed(stage));
}

void LayerRows::Make(int stage, RowRange rows, int block, int blocks, int worker) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const LayerKind kind = layer.kind;
  if (kind == LayerKind::kConv) {
    Convolve(stage, rows, block, blocks, worker);
  } else {
    for (int y = rows.first; y < rows.end; y += kind == LayerKind::kDoubled ? 2 : 1) {
      if (kind == LayerKind::kDoubled) {
        Double(stage, y, worker);
      } else if (kind == LayerKind::kMean) {
        MeanOf(maps_.Whole(layer.from.front()), block, maps_.Row(stage, y));
      } else if (layer.IsNorm()) {
        Normalize(stage, block);
      } else if (kind == LayerKind::kWide) {
        Widely(stage, y, TilesOf(TileCount(shape_.Width(stage)), block, blocks), worker);
      } else {
        MakeRow(stage, y, worker);
      }
    }
  }
  for (int y = rows.first; y < rows.end; ++y) maps_.ClearMargins(stage, y, block, blocks);
}

/// A stage's convolution with its packed weights.
ConvLayer LayerRows::Packed(int stage) const {
  ConvLayer conv = shape_.LayerOf(stage).conv;
  conv.weights = maps_.Packed(stage);
  return conv;
}

void LayerRows::Convolve(int stage, RowRange made, int block, int blocks, int worker) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  ConvRows rows;
  rows.width = shape_.Width(stage);
  rows.inputs = static_cast<int>(layer.from.size());
  for (size_t n = 0; n < layer.from.size(); ++n) {
    const FeatureMap& map = layer.from[n];
    ConvInput& in = rows.in[n];
    in.stride = static_cast<int>(shape_.Stride(map.index));
    for (int i = 0; i < 6; ++i)
      in.rows[i] = maps_.RowToRead(map, made.first - 1 + layer.margin + i) + layer.margin * in.stride;
    in.channels = PaddedChannels(map.channels);
    in.doubled = map.doubled;
  }
  rows.additions = static_cast<int>(layer.added.size());
  for (int y = made.first; y < made.end; ++y) {
    rows.out[y - made.first] = maps_.Row(stage, y);
    for (size_t n = 0; n < layer.added.size(); ++n)
      rows.added[n].rows[y - made.first] = maps_.AddedRow(layer.added[n], y);
  }
  for (size_t n = 0; n < layer.added.size(); ++n) rows.added[n].scale = layer.added[n].scale;
  const TileSpan tiles = TilesOf(TileCount(rows.width), block, blocks);
  (layer.transforms() ? kernels_.run : kernels_.run_1x1)(Packed(stage), rows, tiles.first, tiles.count(),
                                                         maps_.Scratch(worker));
}

/// Rows y and y + 1 of a map that is twice as large as what it is made of.
void LayerRows::Double(int stage, int y, int worker) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const int from = layer.from.front().index;
  float* const rows[2] = {maps_.Row(stage, y), maps_.Row(stage, y + 1)};
  DoubledRows(kernels_, Packed(stage), maps_.Row(from, y / 2), shape_.Width(from), rows,
              maps_.Scratch(worker));
  for (int i = 0; i < 2; ++i) AddRows(layer, y + i, maps_.FloatsOfRow(stage), rows[i]);
}

/// Some pixels of row y of a convolution with a large kernel.
void LayerRows::Widely(int stage, int y, const TileSpan& tiles, int worker) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  WidePixels to;
  to.row = maps_.Row(stage, y);
  to.width = shape_.Width(stage);
  to.first = 4 * tiles.first;
  to.end = std::min(to.width, 4 * tiles.end);
  to.pixel = to.floats = shape_.Stride(stage);
  const size_t at = static_cast<size_t>(to.first) * to.pixel,
               floats = static_cast<size_t>(to.end - to.first) * to.pixel;
  if (layer.partial) {
    to.floats = static_cast<size_t>(layer.conv.out_channels);
    std::memcpy(to.row + at, maps_.Row(layer.from.front().index, y) + at, floats * sizeof(float));
  }
  WideRow(kernels_, Packed(stage), Around(layer, y), to, maps_.Scratch(worker));
  for (const AddedMap& added : layer.added)
    AddRow(maps_.AddedRow(added, y) + at, added.scale, floats, to.row + at);
}

void LayerRows::AddRows(const GraphLayer& layer, int y, size_t floats, float* to) const {
  for (const AddedMap& added : layer.added) AddRow(maps_.AddedRow(added, y), added.scale, floats, to);
}

void LayerRows::MakeRow(int stage, int y, int worker) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const FeatureMap& map = layer.from.front();
  const int width = shape_.Width(stage);
  float* to = maps_.Row(stage, y);
  const size_t floats = maps_.FloatsOfRow(stage);
  switch (layer.kind) {
    case LayerKind::kConv:
    case LayerKind::kDoubled:
    case LayerKind::kMean:
    case LayerKind::kGroupNorm:
    case LayerKind::kEnergyNorm:
    case LayerKind::kWide:
      return;  // elsewhere
    case LayerKind::kStrided:
      return StridedRow(kernels_, Packed(stage), Windowed(layer, y), width, to, maps_.Scratch(worker));
    case LayerKind::kDepthwise:
      return ConvolveApart(layer, y, to);
    case LayerKind::kShuffled:
      return Shuffle(stage, y, to);
    case LayerKind::kChosen:
      std::fill_n(to, floats, 0.0f);
      return TakeBest(maps_.OnePixel(map), layer.widths, to);
    case LayerKind::kFunction:
      std::memcpy(to, maps_.Row(map.index, y), floats * sizeof(float));
      return layer.function == MapFunction::kGelu ? kernels_.gelu(to, floats)
                                                  : Apply(layer.function, to, floats);
    case LayerKind::kNormalized:
      return NormalizedRow(maps_.Row(map.index, y), layer.conv, layer.epsilon, width, to);
    case LayerKind::kScaled:
      return Scale(stage, y, to);
    case LayerKind::kProduct:
      return Multiply(stage, y, to);
    case LayerKind::kMaxPool:
      return MaxPoolRow(Windowed(layer, y), width, to);
    case LayerKind::kPooled:
      return Pool(stage, y, to);
    case LayerKind::kSampled:
      return SampledRow(maps_.Whole(map), Learned(layer, y), width, shape_.Stride(stage), to);
    case LayerKind::kResized:
      return Resize(stage, y, to);
  }
}

void LayerRows::Shuffle(int stage, int y, float* to) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const int from = layer.from.front().index, side = layer.stride, group = y % side * side;
  ShuffledRow(maps_.Row(from, y / side), shape_.Stride(from), side,
              static_cast<size_t>(group) * shape_.Stride(stage), shape_.Width(stage), shape_.Stride(stage),
              to);
  AddRows(layer, y, maps_.FloatsOfRow(stage), to);
}

void LayerRows::Scale(int stage, int y, float* to) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const float* const shifts = layer.from.size() > 2 ? maps_.OnePixel(layer.from[2]) : maps_.ZeroRow();
  ScaledRow(maps_.Row(layer.from.front().index, y), maps_.OnePixel(layer.from[1]), shifts,
            shape_.Width(stage), shape_.Stride(stage), to);
  AddRows(layer, y, maps_.FloatsOfRow(stage), to);
}

void LayerRows::Multiply(int stage, int y, float* to) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const FeatureMap &one = layer.from[0], &other = layer.from[1];
  ProductRow(maps_.Row(one.index, y) + one.first, shape_.Stride(one.index),
             maps_.Row(other.index, y) + other.first, shape_.Stride(other.index), shape_.Width(stage),
             shape_.Stride(stage), to);
}

void LayerRows::Pool(int stage, int y, float* to) const {
  const FeatureMap& map = shape_.LayerOf(stage).from.front();
  const int width = shape_.Width(stage);
  const size_t pixel = shape_.Stride(stage), floats = maps_.FloatsOfRow(stage);
  const StretchedSquare rows(y, shape_.Height(map.index), shape_.Height(stage));
  for (int from = rows.first; from < rows.end; ++from) {
    const RowChannels row = {maps_.Row(map.index, from) + map.first, shape_.Stride(map.index),
                             shape_.Width(map.index)};
    TakeLargest(row, from == rows.first, width, pixel, to);
  }
  const auto channels = static_cast<size_t>(map.channels);
  for (size_t at = 0; at < floats; at += pixel) std::fill(to + at + channels, to + at + pixel, 0.0f);
}

void LayerRows::Resize(int stage, int y, float* to) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const int from = layer.from.front().index;
  if (layer.resizing == Resizing::kNearest) {
    const int row = NearestTo(y, shape_.Height(from), shape_.Height(stage));
    NearestRow(maps_.Row(from, row), shape_.Width(from), shape_.Width(stage), shape_.Stride(stage), to);
  } else {
    const Between rows(y, shape_.Height(from), shape_.Height(stage));
    BilinearRow(maps_.Row(from, rows.first), maps_.Row(from, rows.second), rows.share, shape_.Width(from),
                shape_.Width(stage), shape_.Stride(stage), to);
  }
  AddRows(layer, y, maps_.FloatsOfRow(stage), to);
}

void LayerRows::Normalize(int stage, int group) const {
  const GraphLayer& layer = shape_.LayerOf(stage);
  const FeatureMap& map = layer.from.front();
  const int count = map.channels / layer.groups;
  const int padded = PaddedChannels(map.channels);
  float *const factors = maps_.Row(stage, 0), *const shifts = factors + padded;
  if (layer.kind == LayerKind::kEnergyNorm) {
    EnergyFactors(maps_.Whole(map), layer.conv, layer.epsilon, factors, shifts);
  } else {
    GroupFactors(maps_.Whole(map), group * count, count, layer.conv, layer.epsilon, factors, shifts);
  }
  if (group + 1 < layer.groups) return;
  for (float* values : {factors, shifts}) std::fill(values + map.channels, values + padded, 0.0f);
}

/// What the windows of row y of a layer's map see.
WindowRows LayerRows::Windowed(const GraphLayer& layer, int y) const {
  const int map = layer.from.front().index;
  WindowRows windows;
  windows.side = layer.side;
  windows.stride = layer.stride;
  windows.pixel = windows.floats = shape_.Stride(map);
  for (int i = 0; i < layer.side; ++i) windows.rows[i] = maps_.Row(map, y * layer.stride + i);
  return windows;
}

/// What those of row y of a layer that keeps the size see.
WindowRows LayerRows::Around(const GraphLayer& layer, int y) const {
  const int map = layer.from.front().index;
  WindowRows windows;
  windows.side = layer.side;
  windows.pixel = shape_.Stride(map);
  windows.floats = static_cast<size_t>(layer.conv.in_channels / (layer.side * layer.side));
  for (int i = 0; i < layer.side; ++i) windows.rows[i] = maps_.RowOrNone(map, y + i - layer.side / 2);
  return windows;
}

/// Where the pixels of row y look.
LearnedPlaces LayerRows::Learned(const GraphLayer& layer, int y) const {
  const FeatureMap& places = layer.from[1];
  LearnedPlaces learned;
  learned.row = y;
  learned.scale = layer.stride;
  learned.groups = layer.groups;
  learned.channels = layer.from.front().channels / layer.groups;
  learned.places = maps_.Row(places.index, y / layer.stride);
  learned.pixel = shape_.Stride(places.index);
  learned.start = reinterpret_cast<const float*>(layer.weights.data());
  return learned;
}

void LayerRows::ConvolveApart(const GraphLayer& layer, int y, float* to) const {
  const FeatureMap& map = layer.from.front();
  DepthwiseRow row;
  row.pixel = shape_.Stride(map.index);
  row.side = layer.side;
  row.across = layer.across;
  row.width = shape_.Width(map.index);
  for (int i = 0; i < layer.side; ++i) {
    const float* const seen = maps_.RowOrNone(map.index, y + i - layer.side / 2);
    row.rows[i] = seen == nullptr ? nullptr : seen + map.first;
  }
  row.out = to;
  row.additions = static_cast<int>(layer.added.size());
  for (size_t n = 0; n < layer.added.size(); ++n) {
    row.added[n] = maps_.AddedRow(layer.added[n], y);
    row.scales[n] = layer.added[n].scale;
  }
  kernels_.run_depthwise(layer.conv, row);
}

}  // namespace imgmill
