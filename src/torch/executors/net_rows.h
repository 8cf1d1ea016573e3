// The rows that each kind of layer of a graph gives, by LibTorch.
#pragma once

#include <vector>

#include "networks/kernels/graph_shape.h"
#include "torch/executors/net_layers.h"

namespace imgmill {

torch::Tensor Applied(MapFunction function, torch::Tensor x);

/// The maps of one batch, as far as they are there and needed, N x C x rows x width.
class NetRows {
 public:
  /// All must outlive it.
  NetRows(const GraphPlan& plan, const NetLayers& layers, const GraphShape& shape)
      : plan_(plan),
        layers_(layers),
        shape_(shape),
        last_reads_(shape.LastReads()),
        maps_(static_cast<size_t>(shape.stages()) - 1) {}

  /// Rows of what a layer gives, of the maps that it reads.
  torch::Tensor Make(int stage, RowRange rows) const;
  /// @param first  the map's row that `rows` begin with
  void Keep(int map, torch::Tensor rows, int first) {
    maps_[static_cast<size_t>(map)] = {std::move(rows), first};
  }
  /// What this stage was the last to read, of the maps from `first` on.
  void Forget(int stage, int first);
  /// Rows of a map that there are, in pixels as it is read.
  torch::Tensor RowsOf(const FeatureMap& map, RowRange rows) const;

 private:
  struct Made {
    torch::Tensor rows;
    int first = 0;
  };

  torch::Tensor Whole(const FeatureMap& map) const { return RowsOf(map, {0, shape_.Height(map.index)}); }
  torch::Tensor Added(const AddedMap& added, RowRange rows) const;
  torch::Tensor WithAdded(torch::Tensor x, const GraphLayer& layer, RowRange rows, size_t from = 0) const;
  torch::Tensor Ended(torch::Tensor x, int stage, RowRange rows) const;
  torch::Tensor Windowed(const GraphLayer& layer, RowRange rows) const;
  torch::Tensor Convolved(int stage, RowRange rows) const;
  torch::Tensor InPart(int stage, RowRange rows) const;
  torch::Tensor Doubled(int stage, RowRange rows) const;
  torch::Tensor Shuffled(int stage, RowRange rows) const;
  torch::Tensor GroupFactors(int stage) const;
  torch::Tensor EnergyFactors(int stage) const;
  torch::Tensor Normalized(int stage, RowRange rows) const;
  torch::Tensor Scaled(const GraphLayer& layer, RowRange rows) const;
  torch::Tensor Sampled(int stage, RowRange rows) const;
  torch::Tensor Chosen(const GraphLayer& layer) const;
  torch::Tensor Pooled(int stage, RowRange rows) const;
  torch::Tensor Resized(int stage, RowRange rows) const;

  const GraphPlan& plan_;
  const NetLayers& layers_;
  const GraphShape& shape_;
  const std::vector<int> last_reads_;
  std::vector<Made> maps_;
};

}  // namespace imgmill
