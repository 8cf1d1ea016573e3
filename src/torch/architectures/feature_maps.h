// What several networks do with maps of features, N x C x H x W, beside convolutions.
#pragma once

#include "torch/architectures/layers.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// Continued to the right and below where it has fewer than `height` rows or `width` columns: mirrored as far
/// as there are pixels, and then the last one again.
torch::Tensor Continued(const torch::Tensor& x, int64_t height, int64_t width);

/// A side of a map that is continued to whole squares.
inline int64_t ToMultiple(int64_t side, int64_t multiple) {
  return (side + multiple - 1) / multiple * multiple;
}

/// Continued to the right and below to multiples of `multiple`, as Continued does.
inline torch::Tensor ContinuedToMultiple(const torch::Tensor& x, int64_t multiple) {
  return Continued(x, ToMultiple(x.size(2), multiple), ToMultiple(x.size(3), multiple));
}

/// Continued to the right and below to multiples of `multiple`, with zeros.
torch::Tensor BlackToMultiple(const torch::Tensor& x, int64_t multiple);

/// Each pixel's features normalized.
torch::Tensor NormalizedPixels(const LayerNorm& norm, const torch::Tensor& x);

}  // namespace imgmill
