// U-Nets of residual blocks at four sizes on our own kernels.
#pragma once

#include <functional>

#include "torch/architectures/graph_builder.h"
#include "torch/architectures/res_u_net.h"

namespace imgmill {

/// What an image becomes before the first layer.
/// @param told  what the network is told beside it
LayerGraph::Input ResUNetInput(const ResUNetShape& shape, Continuation continued, std::vector<float> told);

/// Writes the layers down that ResUNet runs, in the order of work.
class ResUNetGraph {
 public:
  /// Both must live as long.
  ResUNetGraph(GraphBuilder& graph, const ResUNetShape& shape) : graph_(graph), shape_(shape) {}

  /// The features of the least size.
  FeatureMap Down();
  /// The last convolution of a block of that size on the way up, and what is added to it.
  using BlockEnd = std::function<FeatureMap(size_t size, const Convolution& last, const FeatureMap& inner,
                                            const std::vector<FeatureMap>& added)>;
  /// The last convolution's output, from what `Body` gave.
  FeatureMap Up(FeatureMap x, const BlockEnd& end);
  /// So many blocks from NAME.0 on, at the least size.
  FeatureMap Body(const std::string& name, const FeatureMap& x) { return Blocks(name, 0, x, {}, {}); }
  /// The same, and the features that Down gave added.
  FeatureMap LastBody(const std::string& name, const FeatureMap& x) {
    return Blocks(name, 0, x, {seen_.back()}, {});
  }
  /// Adds without more ado.
  BlockEnd Added();

 private:
  using End = std::function<FeatureMap(const Convolution& last, const FeatureMap& inner,
                                       const std::vector<FeatureMap>& added)>;
  /// @param seen  what is added to the last one, too
  FeatureMap Blocks(const std::string& name, int first, FeatureMap x, const std::vector<FeatureMap>& seen,
                    const End& end);

  GraphBuilder& graph_;
  const ResUNetShape& shape_;
  std::vector<FeatureMap> seen_;
};

}  // namespace imgmill
