// The first layer of vision transformers: squares of pixels that do not overlap, each to features.
#pragma once

#include "torch/architectures/packed_linear.h"

namespace imgmill {

/// What the convolution gives whose stride is its side, but for rounding, which does not depend on how many
/// images there are.
class PatchEmbedding {
 public:
  PatchEmbedding() = default;
  explicit PatchEmbedding(const Convolution& layer);
  /// n x bands x height x width to n x features x rows x columns of patches; pixels that fill none are left
  /// out.
  torch::Tensor operator()(const torch::Tensor& x) const;
  bool packed() const { return dense_.packed(); }

 private:
  PackedLinear dense_;
  int64_t side_ = 1;  ///< of a patch, in pixels
};

}  // namespace imgmill
