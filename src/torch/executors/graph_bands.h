// Which layers of a graph LibTorch is given whole maps of, and which a band of rows at a time.
#pragma once

#include <algorithm>
#include <vector>

#include "networks/kernels/graph_shape.h"

namespace imgmill {

/// Layers that enlarge come last in most networks, and hold many pixels of all features for each of the
/// image: they are run band by band. Those before them give whole maps.
class GraphBands {
 public:
  /// Both must outlive it.
  GraphBands(const GraphPlan& plan, const GraphShape& shape);

  /// The first stage that is run in bands; shape.stages() - 1 where none is.
  int first_stage() const { return first_stage_; }
  int count() const { return count_; }
  /// Rows of what goes out, before the pixels of squares are put in place.
  RowRange Out(int band) const;
  /// Rows that each stage from the first on gives for it, within its map.
  std::vector<RowRange> Rows(int band) const;

 private:
  const GraphShape& shape_;
  int first_stage_, rows_, count_ = 1;
};

/// Of a map's rows, those that there are.
inline RowRange Within(RowRange rows, int height) {
  return {std::min(std::max(rows.first, 0), height), std::max(std::min(rows.end, height), 0)};
}

}  // namespace imgmill
