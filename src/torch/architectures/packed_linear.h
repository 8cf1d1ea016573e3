// A dense layer that is packed once for our own kernels, where they run it.
#pragma once

#include "networks/kernels/conv_kernels.h"
#include "torch/architectures/layers.h"

namespace imgmill {

/// What Linear gives but for rounding. On the CPU what a row of the input gives does not depend, to the bit,
/// on how many others there are: LibTorch packs the weights anew in each call, and rounds by the number of
/// rows. The threads of the TeamScope around a call do the work.
class PackedLinear {
 public:
  PackedLinear() = default;
  /// An undefined layer stays so.
  explicit PackedLinear(Linear layer);

  /// Whether our own kernels run it.
  bool packed() const { return packed_.defined(); }
  bool exists() const { return plain_.weight.defined() || packed_.defined(); }
  /// ... x inputs to ... x outputs
  torch::Tensor operator()(const torch::Tensor& x, DenseEnd end = DenseEnd::kNone) const;
  /// Adds what it gives to `sum`, which is contiguous, in place.
  void AddTo(torch::Tensor& sum, const torch::Tensor& x) const;

 private:
  void Run(const torch::Tensor& x, torch::Tensor& out, DenseEnd end) const;

  Linear plain_;  ///< without its weights once they are packed
  torch::Tensor packed_, bias_;
  ConvLayer layer_;
  const ConvKernels* kernels_ = nullptr;
};

}  // namespace imgmill
