// Pixel shuffle with the enlarged input added: how SRVGGNetCompact ends.
#pragma once

#include "torch/kernels/conv_chain.h"

namespace imgmill {

/// From 3 * scale * scale channels to output[3][height * scale][width * scale], clamped to 0..1. Channel
/// c * s * s + i * s + j of pixel (y, x) is channel c of pixel (s * y + i, s * x + j); the input's nearest
/// pixel is added.
class ShuffleTail final : public ChainTail {
 public:
  explicit ShuffleTail(int scale) : scale_(static_cast<size_t>(scale)) {}
  bool Put(const KernelImage& image, int y, int x0, int x1, const float* values,
           size_t stride) const noexcept override;

 private:
  const size_t scale_;
};

}  // namespace imgmill
