// Upsampling that learns where to look: each output pixel is taken from a place of the input that a layer
// says. Liu et al., "Learning to Upsample by Learning to Sample", ICCV 2023.
#pragma once

#include <string>

#include "torch/architectures/layers.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// Some rows of `x`, from `first` on, enlarged: each pixel bilinear from a place within `x`, to which half
/// precision has no way.
/// @param places  N x (2 * groups * scale * scale) x rows x width, float32: by how many pixels of `x` each
/// looks away from where it comes of; the call's own
torch::Tensor SampledRows(const torch::Tensor& x, torch::Tensor places, int64_t first, int64_t scale,
                          int64_t groups);

struct DySampleShape {
  int64_t in = 0, out = 0;
  int64_t scale = 0;
  int64_t groups = 4;  ///< of channels that look at the same place
};

/// Tensors: offset, scope, init_pos and end_conv under a name.
class DySample {
 public:
  DySample() = default;
  DySample(Layers& layers, const std::string& name, const DySampleShape& shape);
  torch::Tensor operator()(const torch::Tensor& x) const;

  /// How far it looks, in input pixels. Nothing bounds it, but what is learned hardly goes beyond a pixel.
  static constexpr int kReach = 2;
  /// Floats that it holds at the peak beside input and output.
  static int64_t Floats(const DySampleShape& shape, int64_t height, int64_t width);

 private:
  DySampleShape shape_;
  Convolution offset_, scope_, last_;
  torch::Tensor start_;  ///< where it looks before anything is learned
};

}  // namespace imgmill
