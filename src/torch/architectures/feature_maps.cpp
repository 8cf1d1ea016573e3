#include "torch/architectures/feature_maps.h"

#include <algorithm>
#include <array>

namespace imgmill {
namespace {

/// Left, right, above and below, to multiples.
std::array<int64_t, 4> Lacking(const torch::Tensor& x, int64_t multiple) {
  return {0, ToMultiple(x.size(3), multiple) - x.size(3), 0, ToMultiple(x.size(2), multiple) - x.size(2)};
}

}  // namespace

torch::Tensor Continued(const torch::Tensor& x, int64_t height, int64_t width) {
  const int64_t below = std::max<int64_t>(0, height - x.size(2));
  const int64_t right = std::max<int64_t>(0, width - x.size(3));
  if (below == 0 && right == 0) return x;
  const int64_t mirrored_below = std::min(below, x.size(2) - 1);
  const int64_t mirrored_right = std::min(right, x.size(3) - 1);
  const std::array<int64_t, 4> mirrored = {0, mirrored_right, 0, mirrored_below};
  const std::array<int64_t, 4> repeated = {0, right - mirrored_right, 0, below - mirrored_below};
  return torch::replication_pad2d(torch::reflection_pad2d(x, mirrored), repeated);
}

torch::Tensor BlackToMultiple(const torch::Tensor& x, int64_t multiple) {
  return torch::constant_pad_nd(x, Lacking(x, multiple), 0);
}

torch::Tensor NormalizedPixels(const LayerNorm& norm, const torch::Tensor& x) {
  return norm(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
}

}  // namespace imgmill
