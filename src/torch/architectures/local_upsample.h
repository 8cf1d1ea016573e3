// Upsampling by attention among places that a layer chooses around each output pixel: Du et al., "LDA-AQU:
// Adaptive Query-guided Upsampling via Local Deformable Attention", ACM MM 2024.
#pragma once

#include <string>

#include "torch/architectures/layers.h"

namespace imgmill {

struct LocalUpsampleShape {
  int64_t features = 0, scale = 0;
};

/// Tensors: proj_q, proj_k, conv_offset.0, .1 and .3, layer_norm and relative_position_bias_table under a
/// name.
class LocalUpsample {
 public:
  LocalUpsample() = default;
  LocalUpsample(Layers& layers, const std::string& name, const LocalUpsampleShape& shape);

  /// What `last`, a 3x3 convolution, makes of the enlarged features, in bands of rows.
  torch::Tensor operator()(const torch::Tensor& x, const Convolution& last) const;

  /// Floats that it holds at the peak beside input and output.
  static int64_t Floats(const LocalUpsampleShape& shape, int64_t height, int64_t width);

 private:
  /// n x features x rows x (width of `queries`), of the rows from `top` on.
  torch::Tensor Rows(const torch::Tensor& x, const torch::Tensor& keys, const torch::Tensor& queries,
                     int64_t top, int64_t rows) const;

  LocalUpsampleShape shape_;
  Convolution query_, key_, around_, offset_;
  LayerNorm norm_, offset_norm_;
  torch::Tensor places_;  ///< added to the keys: features / 4 x places
};

}  // namespace imgmill
