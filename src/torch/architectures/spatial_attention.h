// Enhanced spatial attention, which weighs the features at the end of each block of RFDN, RLFN, EFDN and
// BSRN: Liu et al., "Residual Feature Aggregation Network for Image Super-Resolution", 2020.
#pragma once

#include <string>
#include <vector>

#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"

namespace imgmill {

/// A 1x1 convolution; with `matrix`, its weight is stored as out x in.
Convolution Pointwise(Layers& layers, const std::string& name, int64_t out, int64_t in, bool matrix);

/// A 3x3 convolution, or what stands for one where there are fewer weights: a 1x1 one (pw, a matrix) with one
/// of each plane by itself behind it (dw).
class SpatialConv {
 public:
  SpatialConv() = default;
  SpatialConv(Layers& layers, const std::string& name, int64_t out, int64_t in, bool separable);
  torch::Tensor operator()(const torch::Tensor& x) const {
    return point_.weight.defined() ? conv_(point_(x)) : conv_(x);
  }

 private:
  Convolution point_, conv_;
};

/// What differs between the networks.
struct AttentionKind {
  bool three_layers = true;  ///< where the pooled map is small (conv_max, conv3, conv3_); else conv3 alone
  bool separable = false;    ///< of these, and matrices for the 1x1 layers
  bool gelu = false;         ///< between them, instead of ReLU
};

/// The mask comes from a map that is pooled to a sixth and enlarged again to the size of the input. The ratio
/// of these two sizes depends on the input's, so that no overlap of tiles is quite exact.
class SpatialAttention {
 public:
  SpatialAttention() = default;
  SpatialAttention(Layers& layers, const std::string& name, int64_t features, const AttentionKind& kind);

  /// Weighs x, which is the caller's own, in place.
  torch::Tensor operator()(torch::Tensor x) const;

 private:
  bool gelu_ = false;
  Convolution narrow_, halve_, beside_, widen_;
  std::vector<SpatialConv> small_;
};

/// SpatialConv on our own kernels. Of a separable one, `end` is neither kGate nor kWeigh.
FeatureMap AddSpatialConv(GraphBuilder& graph, const std::string& name, int out,
                          const std::vector<FeatureMap>& from, bool separable, const GraphEnd& end);

/// SpatialAttention on our own kernels. `x` weighed, and `added` to it where that is given.
FeatureMap AddAttention(GraphBuilder& graph, const std::string& name, const FeatureMap& x,
                        const AttentionKind& kind, const FeatureMap* added = nullptr);

/// The least side of an image that the attention's windows fit into.
inline constexpr int kLeastForAttention = 15;  // one window of 7 pixels, at half the size

/// What such a network says of itself: global, with tiles whose overlap loses little.
UpscaleNetworkParts PartsWithAttention(ModelInfo info);

/// The image, continued below and to the right by mirrored pixels (by the last one again where there are too
/// few) to what the attention needs each way. The original programs refuse smaller images.
torch::Tensor WithRoomForAttention(const torch::Tensor& x);

}  // namespace imgmill
