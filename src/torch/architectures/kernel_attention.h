// Softmax attention of LibTorch's tensors on our own kernels.
#pragma once

#include "networks/kernels/conv_kernels.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// This machine's kernels, if they take such tensors as they lie: in float32 on the CPU, each row's floats
/// one behind the other. Null where LibTorch's attention has to do.
/// @param bias  may be undefined
const ConvKernels* AttentionKernels(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& bias = {});

/// softmax(q k^T * scale + bias) v of n x heads x tokens x features each; merged to n x tokens x (heads *
/// features). The threads of the TeamScope around the call do the work; the result depends neither on them
/// nor, for one of n, on the others.
/// @param bias    heads x queries x keys, or undefined
/// @param causal  a token sees itself and those before it
torch::Tensor AttendOnKernels(const ConvKernels& kernels, const torch::Tensor& q, const torch::Tensor& k,
                              const torch::Tensor& v, const torch::Tensor& bias, double scale,
                              bool causal = false);

}  // namespace imgmill
