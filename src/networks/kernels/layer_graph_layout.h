// When the rows of a graph's maps are made, and where they lie in working memory.
#pragma once

#include <vector>

#include "networks/kernels/graph_shape.h"
#include "networks/kernels/graph_stretches.h"

namespace imgmill {

/// For images of one size. Places are in floats.
class LayerGraphLayout {
 public:
  /// What is done of one stage in a step.
  struct Part {
    int stage = 0;
    RowRange rows;  ///< of what it gives; they begin at a tile. None: its weights are packed
  };
  /// Parts that may depend on those before them.
  using Step = std::vector<Part>;

  LayerGraphLayout(const GraphPlan& plan, const std::vector<GraphStretch>& stretches, int image_height,
                   int image_width, int threads);

  bool IsFor(int image_height, int image_width, int threads) const {
    return size_.height == image_height && size_.width == image_width && threads_ == threads;
  }
  const GraphShape& shape() const { return shape_; }
  const std::vector<Step>& steps() const { return steps_; }
  size_t floats() const { return floats_; }

  /// Where a row of a map lies, from the pixel left of the image on.
  size_t RowAt(int map, int y) const {
    const MapPlace& place = places_[static_cast<size_t>(map)];
    return place.at + static_cast<size_t>(y % place.rows) * shape_.RowFloats(map);
  }
  size_t PackedAt(int stage) const { return packed_[static_cast<size_t>(stage)]; }
  size_t ZeroRowAt() const { return zero_row_; }
  size_t zero_floats() const { return zero_floats_; }
  /// Of each tile row of a map, a counter of what is done of it.
  size_t CountersAt(int map) const { return counters_ + first_counter_[static_cast<size_t>(map)]; }
  size_t counter_count() const { return first_counter_.back(); }
  size_t ScratchAt(int worker) const { return scratch_ + static_cast<size_t>(worker) * scratch_floats_; }

 private:
  struct MapPlace {
    size_t at = 0;
    int rows = 0;  ///< the newest ones of a map that is never there whole; else all
  };

  void Schedule(const GraphStretch& stretch, int threads);
  int StepsOf(const GraphStretch& stretch, int threads) const;
  void PlanPacking();
  void Place(const std::vector<GraphStretch>& stretches);
  void PlaceScratch(int threads);
  size_t Behind(size_t count);

  const GraphShape::Size size_;
  const int threads_;
  const GraphShape shape_;
  const std::vector<int> last_reads_;  ///< of each map, the last stage that reads it
  std::vector<Step> steps_;
  std::vector<size_t> begins_;  ///< of each stretch, its first step
  std::vector<MapPlace> places_;
  std::vector<size_t> first_step_;  ///< of each stage
  std::vector<size_t> packed_;      ///< by stage
  size_t counters_ = 0;
  std::vector<size_t> first_counter_;  ///< of each map
  size_t zero_row_ = 0, zero_floats_ = 0;
  size_t scratch_ = 0, scratch_floats_ = 0;  ///< of each thread
  size_t floats_ = 0;
};

}  // namespace imgmill
