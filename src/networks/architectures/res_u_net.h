// U-Nets of residual blocks at four sizes, each half the one before, as DRUNet and FBCNN are: what was found
// at a size on the way down is added on the way up.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "networks/graph_builder.h"

namespace imgmill {

/// Read off the tensors of m_head, m_down1 to m_down3, m_up3 to m_up1, m_tail and a body between.
struct ResUNetShape {
  static constexpr size_t kSizes = 4;
  static constexpr int64_t kMultiple = 8;  ///< of an image's sides
  int64_t inputs = 3, bands = 3;
  std::array<int64_t, kSizes> features{};  ///< at each size, from the image's on
  int blocks = 0;                          ///< at each size, on either way
  bool bias = false;
};

/// @param body  what the tensors at the least size begin with: "m_body"
bool ReadResUNet(const StateDict& weights, const std::string& body, ResUNetShape& shape);

/// What an image becomes before the first layer.
/// @param told  what the network is told beside it
LayerGraph::Input ResUNetInput(const ResUNetShape& shape, Continuation continued, std::vector<float> told);

/// Writes the layers down, in the order of work. A block is NAME.res.0, ReLU, NAME.res.2, and the input
/// added.
class ResUNetGraph {
 public:
  /// Both must live as long.
  ResUNetGraph(GraphBuilder& graph, const ResUNetShape& shape) : graph_(graph), shape_(shape) {}

  /// The features of the least size.
  FeatureMap Down();
  /// The last convolution of a block of that size on the way up, and what is added to it.
  using BlockEnd = std::function<FeatureMap(size_t size, const ConvWeights& last, const FeatureMap& inner,
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
  using End = std::function<FeatureMap(const ConvWeights& last, const FeatureMap& inner,
                                       const std::vector<FeatureMap>& added)>;
  /// @param seen  what is added to the last one, too
  FeatureMap Blocks(const std::string& name, int first, FeatureMap x, const std::vector<FeatureMap>& seen,
                    const End& end);

  GraphBuilder& graph_;
  const ResUNetShape& shape_;
  std::vector<FeatureMap> seen_;
};

}  // namespace imgmill
