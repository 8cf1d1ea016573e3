// A dense layer that is packed once for our own kernels, where they run it.
#pragma once

#include "torch/architectures/layers.h"

namespace imgmill {

/// What Linear gives but for rounding. On the CPU what a row of the input gives does not depend, to the bit,
/// on how many others there are: LibTorch packs the weights anew in each call, and rounds by the number of
/// rows.
class PackedLinear {
 public:
  PackedLinear() = default;
  /// An undefined layer stays so.
  explicit PackedLinear(Linear layer);

  bool exists() const { return plain_.weight.defined() || packed_.defined(); }
  /// ... x inputs to ... x outputs
  torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  Linear plain_;  ///< without its weights once they are packed
  torch::Tensor packed_, bias_;
  ConvLayer layer_;
  const ConvKernels* kernels_ = nullptr;
};

}  // namespace imgmill
