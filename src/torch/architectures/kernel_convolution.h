// A convolution of a LibTorch module on our own kernels.
#pragma once

#include "torch/architectures/layers.h"

namespace imgmill {

/// Whether it is 3x3 of stride 1, all channels together, and the map is large enough to pay for transforming
/// the weights, which is done each time.
bool SuitsKernels(const Convolution& layer, const torch::Tensor& x);

/// What LibTorch's convolution gives but for rounding, channels last. The threads of the TeamScope around the
/// call do the work; the result does not depend on how many there are.
torch::Tensor OnKernels(const Convolution& layer, const torch::Tensor& x);

}  // namespace imgmill
