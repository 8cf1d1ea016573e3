#include "torch/architectures/image_bands.h"

#include <algorithm>

namespace imgmill {

torch::Tensor Mirrored(const torch::Tensor& planes, int64_t below, int64_t right, bool repeats_edge) {
  if (below == 0 && right == 0) return planes;
  // The pixels that each row and column is a copy of.
  const auto sources = [&](int64_t side, int64_t more) {
    const torch::Tensor at = torch::arange(side + more, torch::TensorOptions(torch::kInt64));
    const int64_t last = side - 1 + (repeats_edge ? 1 : 0);
    const torch::Tensor beyond = (last + side - 1 - at).clamp_min(0);
    return torch::where(at.lt(side), at, beyond).to(planes.device());
  };
  return planes.index_select(2, sources(planes.size(2), below))
      .index_select(3, sources(planes.size(3), right));
}

void AddPerPixel(torch::Tensor& image, const std::function<torch::Tensor(const torch::Tensor&)>& function) {
  const torch::Tensor pixels = image.view({-1, image.size(-1)});
  for (int64_t from = 0; from < pixels.size(0); from += kPixelsAtOnce) {
    torch::Tensor some = pixels.narrow(0, from, std::min(kPixelsAtOnce, pixels.size(0) - from));
    some.add_(function(some));
  }
}

void AddInRows(torch::Tensor& image, int64_t context,
               const std::function<torch::Tensor(const torch::Tensor&)>& function) {
  const int64_t height = image.size(1);
  const int64_t rows = std::max(kLeastRows, kPixelsAtOnce / (image.size(0) * image.size(2)));
  torch::Tensor above;  // the rows before the band as they were
  for (int64_t top = 0; top < height; top += rows) {
    const int64_t count = std::min(rows, height - top);
    torch::Tensor shown = image.narrow(1, top, std::min(count + context, height - top));
    const int64_t before = above.defined() ? above.size(1) : 0;
    if (before > 0) shown = torch::cat({above, shown}, 1);
    torch::Tensor band = image.narrow(1, top, count);
    const torch::Tensor made = function(shown).narrow(1, before, count);
    const int64_t kept = std::min(context, count);
    if (context > 0) above = band.narrow(1, count - kept, kept).clone();
    band.add_(made);
  }
}

int64_t PixelsInRows(int64_t width, int64_t context) {
  return std::max(kPixelsAtOnce, kLeastRows * width) + 2 * context * width;
}

}  // namespace imgmill
