// A network written down for our own kernels, its layers by name out of a state dict whose names and shapes
// were checked before.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "torch/architectures/layers.h"
#include "torch/kernels/layer_graph.h"

namespace imgmill {

/// What becomes of a convolution's values.
struct GraphEnd {
  float slope = 1;  ///< factor for negative values; 1: no activation
  ConvEnd end = ConvEnd::kSlope;
  float gain = 1;
  std::vector<GraphConv::Added> added = {};
  torch::Tensor slopes = {};  ///< one for each channel, in place of `slope`
};

class GraphBuilder {
 public:
  GraphBuilder(const StateDict& weights, const ConvKernels& kernels, LayerGraph::Input input)
      : layers_(weights, torch::kCPU), graph_(std::make_shared<LayerGraph>(kernels, std::move(input))) {}

  FeatureMap input() const { return graph_->input(); }
  Layers& layers() { return layers_; }

  /// `name`, over the channels of all of `from`.
  FeatureMap Conv(const std::string& name, int out, const std::vector<FeatureMap>& from,
                  const GraphEnd& end = {}, int side = 3);
  /// Weights that were taken or made elsewhere.
  FeatureMap Conv(const Convolution& conv, const std::vector<FeatureMap>& from, const GraphEnd& end = {});

  /// Layers of LayerGraph's that change a map's size.
  FeatureMap Strided(const std::string& name, int out, const FeatureMap& from, int side, int stride);
  FeatureMap MaxPool(const FeatureMap& from, int side, int stride) {
    return graph_->AddMaxPool(from, side, stride);
  }
  FeatureMap Resized(const FeatureMap& from, const FeatureMap& like) {
    return graph_->AddResized(from, like);
  }

  /// LayerGraph::BeginBands.
  void BeginBands() { graph_->BeginBands(); }
  /// The graph, or the first thing that was wrong with a layer.
  Result<std::shared_ptr<const KernelNetwork>> Finish(const FeatureMap& output, int shuffle);

 private:
  /// The pointers live as long as `weight`, which is contiguous.
  static GraphConv Described(const Convolution& conv, const torch::Tensor& weight,
                             const std::vector<FeatureMap>& from);

  Layers layers_;
  std::shared_ptr<LayerGraph> graph_;
};

}  // namespace imgmill
