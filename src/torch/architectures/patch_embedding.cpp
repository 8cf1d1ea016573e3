#include "torch/architectures/patch_embedding.h"

namespace imgmill {

PatchEmbedding::PatchEmbedding(const Convolution& layer) {
  if (!layer.weight.defined()) return;  // Layers says what is wrong
  side_ = layer.weight.size(2);
  dense_ = PackedLinear({layer.weight.flatten(1), layer.bias});
}

torch::Tensor PatchEmbedding::operator()(const torch::Tensor& x) const {
  const int64_t n = x.size(0), bands = x.size(1), rows = x.size(2) / side_, columns = x.size(3) / side_;
  const torch::Tensor patches = x.slice(2, 0, rows * side_)
                                    .slice(3, 0, columns * side_)
                                    .reshape({n, bands, rows, side_, columns, side_})
                                    .permute({0, 2, 4, 1, 3, 5})
                                    .reshape({n, rows, columns, bands * side_ * side_});
  return dense_(patches).permute({0, 3, 1, 2});
}

}  // namespace imgmill
