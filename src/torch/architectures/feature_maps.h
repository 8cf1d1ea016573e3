// What several networks do with maps of features, N x C x H x W, beside convolutions.
#pragma once

#include "torch/architectures/layers.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// Continued to the right and below where it has fewer than `height` rows or `width` columns: mirrored as far
/// as there are pixels, and then the last one again.
torch::Tensor Continued(const torch::Tensor& x, int64_t height, int64_t width);

/// Continued to the right and below to multiples of `multiple`, with zeros.
torch::Tensor BlackToMultiple(const torch::Tensor& x, int64_t multiple);

/// Each pixel's features normalized.
torch::Tensor NormalizedPixels(const LayerNorm& norm, const torch::Tensor& x);

}  // namespace imgmill
