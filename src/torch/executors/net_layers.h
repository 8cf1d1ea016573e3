// The layers of a graph with their weights where LibTorch computes.
#pragma once

#include <vector>

#include "networks/kernels/graph_plan.h"
#include "torch/executors/module_executor.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// A layer's weights as LibTorch wants them.
struct NetLayer {
  torch::Tensor weight, bias;
  torch::Tensor slopes;  ///< of negative values, one for each channel; undefined: all are `slope`
  float slope = 1;
};

class NetLayers {
 public:
  NetLayers(const GraphPlan& plan, const NetPlace& place);
  /// @param stage  as GraphShape counts them
  const NetLayer& operator[](int stage) const { return layers_[static_cast<size_t>(stage) - 1]; }

 private:
  std::vector<NetLayer> layers_;
};

}  // namespace imgmill
