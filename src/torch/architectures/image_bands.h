// Images as transformers see them, N x H x W x C, worked on a part at a time, so that what a layer holds
// beside its input and output is bounded.
#pragma once

#include <functional>

#include "torch/torch_headers.h"

namespace imgmill {

/// Pixels that are worked on at once.
inline constexpr int64_t kPixelsAtOnce = 16384;
/// Rows of a band at least.
inline constexpr int64_t kLeastRows = 16;

/// N x C x H x W of an image that is N x H x W x C in memory, and the other way round.
inline torch::Tensor Planes(const torch::Tensor& image) {
  return image.permute({0, 3, 1, 2});
}
inline torch::Tensor Pixels(const torch::Tensor& planes) {
  return planes.permute({0, 2, 3, 1}).contiguous();
}

/// N x C x H x W, continued by so many rows below and columns to the right: mirrored as far as there are
/// pixels to mirror, then the last of these again.
/// @param repeats_edge  the mirror image starts with the last pixels themselves
torch::Tensor Mirrored(const torch::Tensor& planes, int64_t below, int64_t right, bool repeats_edge = false);

/// image += function(image), some pixels at a time. It is shown pixels x C.
void AddPerPixel(torch::Tensor& image, const std::function<torch::Tensor(const torch::Tensor&)>& function);

/// image += function(image), some rows at a time. It is shown rows with up to `context` more above and below,
/// as far as the image goes, and gives as many.
void AddInRows(torch::Tensor& image, int64_t context,
               const std::function<torch::Tensor(const torch::Tensor&)>& function);

/// How many pixels, at most, AddInRows shows at once.
int64_t PixelsInRows(int64_t width, int64_t context);

}  // namespace imgmill
