// Where the maps of a LayerGraph lie in working memory, and which rows of them are made when.
#pragma once

#include <vector>

#include "torch/kernels/layer_graph.h"

namespace imgmill {

/// Rows of a map, the end not included.
struct RowRange {
  int first = 0;
  int end = 0;
  void Cover(const RowRange& other);
  int count() const { return end - first; }
};

/// For images of one size. Places are in floats. Map 0 is the input, map l + 1 what layer l gives.
struct LayerGraphLayout {
  /// One layer for some rows. Layer -1 is the input; one past the last is the output.
  struct Step {
    int layer = 0;
    size_t band = 0;
    RowRange rows;  ///< of what it gives; they begin at a tile
  };

  LayerGraphLayout(const LayerGraph& on, int image_height, int image_width, int threads);

  int Height(int map) const { return sizes[static_cast<size_t>(map)].height; }
  int Width(int map) const { return sizes[static_cast<size_t>(map)].width; }
  /// Floats from one pixel to the next.
  size_t Stride(int map) const { return static_cast<size_t>(PaddedChannels(MapAt(map).channels)); }
  /// A row has a pixel before the first, and all that the last tile reaches.
  size_t RowFloats(int map) const { return static_cast<size_t>(4 * TileCount(Width(map)) + 2) * Stride(map); }
  static constexpr int TileCount(int pixels) { return (pixels + 3) / 4; }

  struct Size {
    int height = 0, width = 0;
  };

  const LayerGraph& graph;
  int height, width;                         ///< of the first map
  std::vector<Size> sizes;                   ///< of the maps
  std::vector<std::vector<RowRange>> bands;  ///< for each band, of each map what it has
  std::vector<Step> steps;
  std::vector<size_t> places;  ///< of the maps
  size_t zero_row = 0, zero_floats = 0;
  size_t packed[2] = {};                   ///< weights of a step's layer, and of the next
  size_t scratch = 0, scratch_floats = 0;  ///< of each thread
  size_t floats = 0;                       ///< in all

 private:
  const LayerGraph::Map& MapAt(int map) const { return graph.maps_[static_cast<size_t>(map)]; }
  RowRange Tiles(int map, RowRange rows) const;
  Size SizeOf(const LayerGraph::Layer& layer) const;
  void Need(int l, int first_in_bands, std::vector<RowRange>& rows) const;
  std::vector<size_t> LastReads() const;
  void Place(const std::vector<int>& most_rows, int threads);
};

}  // namespace imgmill
