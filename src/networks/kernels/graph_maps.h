// Where the rows of a graph's maps are while it runs.
#pragma once

#include <cstdint>
#include <cstring>

#include "networks/kernels/layer_graph_layout.h"
#include "networks/kernels/map_sampling.h"

namespace imgmill {

class GraphMaps {
 public:
  /// The layout must outlive it, and `work` be as long as that says.
  GraphMaps(const LayerGraphLayout& layout, float* work)
      : layout_(layout), shape_(layout.shape()), work_(work) {}

  const GraphShape& shape() const { return shape_; }

  float* ZeroRow() const { return work_ + layout_.ZeroRowAt(); }
  float* Scratch(int worker) const { return work_ + layout_.ScratchAt(worker); }
  float* Packed(int stage) const { return work_ + layout_.PackedAt(stage); }
  /// Of each tile row of a map, how much of it is done.
  int* Counters(int map) const { return reinterpret_cast<int*>(work_) + layout_.CountersAt(map); }

  /// Row y of a map as it is stored, from the pixel left of the image on.
  float* Stored(int map, int y) const { return work_ + layout_.RowAt(map, y); }
  /// The same from pixel 0 on.
  float* Row(int map, int y) const { return Stored(map, y) + shape_.Stride(map); }
  /// The first channel that is read of row y, in pixels as the map is read, from the pixel left of the image
  /// on; zeros outside.
  const float* RowToRead(const FeatureMap& map, int y) const {
    const int at = map.doubled ? y >> 1 : y;
    if (y < 0 || at >= shape_.Height(map.index)) return ZeroRow();
    return Stored(map.index, at) + map.first;
  }
  /// Row y from pixel 0 on; null outside the map.
  const float* RowOrNone(int map, int y) const {
    return y < 0 || y >= shape_.Height(map) ? nullptr : Row(map, y);
  }
  /// The row that is added to row y.
  const float* AddedRow(const AddedMap& added, int y) const {
    return Row(added.map.index, y + added.margin) +
           static_cast<size_t>(added.margin) * shape_.Stride(added.map.index);
  }
  /// Of a map of one pixel.
  const float* OnePixel(const FeatureMap& map) const { return Row(map.index, 0) + map.first; }
  /// A map that is there whole.
  WholeMap Whole(const FeatureMap& map) const {
    return {Row(map.index, 0), shape_.RowFloats(map.index), shape_.Stride(map.index),
            shape_.Height(map.index), shape_.Width(map.index)};
  }

  /// Floats of a row's pixels, without what stands around them.
  size_t FloatsOfRow(int map) const { return static_cast<size_t>(shape_.Width(map)) * shape_.Stride(map); }

  /// Makes zeros of the pixels left and right of the image, which convolutions read as such: those of one of
  /// the blocks that the row is made in.
  void ClearMargins(int map, int y, int block, int blocks) const {
    const size_t stride = shape_.Stride(map);
    float* const row = Stored(map, y);
    if (block == 0) std::memset(row, 0, stride * sizeof(float));
    if (block + 1 < blocks) return;
    const size_t used = static_cast<size_t>(shape_.Width(map) + 1) * stride;
    std::memset(row + used, 0, (shape_.RowFloats(map) - used) * sizeof(float));
  }

 private:
  const LayerGraphLayout& layout_;
  const GraphShape& shape_;
  float* const work_;
};

}  // namespace imgmill
