// Enhanced spatial attention, which weighs the features at the end of each block of RFDN, RLFN, EFDN and
// BSRN: Liu et al., "Residual Feature Aggregation Network for Image Super-Resolution", 2020.
#pragma once

#include <string>
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {

/// A 3x3 convolution, or what stands for one where there are fewer weights: a 1x1 one (pw, a matrix) with one
/// of each plane by itself behind it (dw). Of a `separable` one, `end` is neither kGate nor kWeigh.
FeatureMap AddSpatialConv(GraphBuilder& graph, const std::string& name, int out,
                          const std::vector<FeatureMap>& from, bool separable, const GraphEnd& end);

/// What differs between the networks.
struct AttentionKind {
  bool three_layers = true;  ///< where the pooled map is small (conv_max, conv3, conv3_); else conv3 alone
  bool separable = false;    ///< of these, and matrices for the 1x1 layers
  bool gelu = false;         ///< between them, instead of ReLU
};

/// `x` weighed, and `added` to it where that is given. The mask comes from a map that is pooled to a sixth
/// and enlarged again to the size of `x`. The ratio of these two sizes depends on the image's, so that no
/// overlap of tiles is quite exact.
FeatureMap AddAttention(GraphBuilder& graph, const std::string& name, const FeatureMap& x,
                        const AttentionKind& kind, const FeatureMap* added = nullptr);

/// The least side of an image that the attention's windows fit into. The original programs refuse smaller
/// images.
inline constexpr int kLeastForAttention = 15;  // one window of 7 pixels, at half the size

/// Tiles whose overlap loses little, of such a network, which is global.
void OverlapWithAttention(GraphNetworkParts& parts);

}  // namespace imgmill
