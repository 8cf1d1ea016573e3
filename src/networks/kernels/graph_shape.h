// How large the maps of a graph are for an image of one size, and which rows of them each layer reads.
#pragma once

#include <array>
#include <vector>

#include "networks/kernels/graph_plan.h"
#include "networks/kernels/tile_rows.h"

namespace imgmill {

/// Rows of a map, the end not included.
struct RowRange {
  int first = 0;
  int end = 0;
  void Cover(const RowRange& other);
  int count() const { return end - first; }
};

/// Pixels of a side of the image as it is continued, before it is mirrored by the margin.
int ContinuedSide(int image_side, const GraphInput& input);

/// The image's row or column that one of what is taken in is made of; -1 for none, where zeros stand.
/// @param mirrors  whether there is enough of the image both ways for Continuation::kMirrorOrLast to mirror
/// it
int SourceOf(int at, int image_side, const GraphInput& input, bool mirrors);

/// Stage 0 takes the image in, stage l + 1 is layer l, and the last one puts the pixels out. Each stage but
/// the last gives the map of its number.
class GraphShape {
 public:
  struct Size {
    int height = 0, width = 0;
  };
  struct Read {
    int map = 0;
    RowRange rows;
  };
  /// What a stage reads: a few of Read.
  class Reads {
   public:
    void Add(int map, RowRange rows) { each_[static_cast<size_t>(count_++)] = {map, rows}; }
    const Read* begin() const { return each_.data(); }
    const Read* end() const { return each_.data() + count_; }

   private:
    std::array<Read, kMostConvInputs + kMostConvAdded> each_;
    int count_ = 0;
  };

  GraphShape(const GraphPlan& plan, int image_height, int image_width);

  int stages() const { return static_cast<int>(sizes_.size()) + 1; }
  bool IsLayer(int stage) const { return stage > 0 && stage + 1 < stages(); }
  /// @param stage  of a layer
  const GraphLayer& LayerOf(int stage) const { return plan_.layers[static_cast<size_t>(stage) - 1]; }
  /// Of what a stage gives; the last one's are those of the map that it puts out.
  int Rows(int stage) const {
    if (stage + 1 < stages()) return Height(stage);
    return Height(plan_.output.map.index) - 2 * plan_.output.margin;
  }

  int Height(int map) const { return sizes_[static_cast<size_t>(map)].height; }
  int Width(int map) const { return sizes_[static_cast<size_t>(map)].width; }
  /// Floats from one pixel to the next.
  size_t Stride(int map) const {
    return static_cast<size_t>(PaddedChannels(plan_.channels[static_cast<size_t>(map)]));
  }
  size_t RowFloats(int map) const {
    return (RowPixels(Width(map)) + past_[static_cast<size_t>(map)]) * Stride(map);
  }
  /// How many tasks a row of tiles of what a stage gives is cut into.
  int Blocks(int stage) const;

  /// What a stage reads to give those rows, of which there is at least one. Rows outside of a map are named,
  /// too: they count as zeros.
  Reads ReadsOf(int stage, RowRange rows) const;
  /// Of each map, the last stage that reads it.
  std::vector<int> LastReads() const;

 private:
  Size SizeOf(const GraphLayer& layer) const;

  const GraphPlan& plan_;
  std::vector<Size> sizes_;   ///< of the maps
  std::vector<size_t> past_;  ///< pixels behind a row that are read where a convolution has no padding
};

}  // namespace imgmill
