// LibTorch's functions that have other last bits for each number of threads, so that they have the same.
#pragma once

#include <utility>

#include "torch/architectures/layers.h"
#include "torch/torch_headers.h"

namespace imgmill {

struct Conv2dShape {
  int64_t stride = 1;
  int64_t padding_height = 0, padding_width = 0;
  int64_t dilation = 1;
  int64_t groups = 1;
};

/// Whether any number of threads may compute what this thread runs, so that the bits must not depend on it:
/// those of a network that a LibTorchTeam helps with.
bool ManyThreadsHelp();

/// torch::conv2d. LibTorch takes one of two libraries, which add up in different orders, by the number of
/// threads, and gives a small map to the one that divides sums by it. Where ManyThreadsHelp, neither depends
/// on it.
/// @param bias  undefined for none
torch::Tensor Conv2d(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                     const Conv2dShape& shape = {});

/// torch::conv_transpose2d: each pixel of the input adds a kernel to the output. Its sums are divided by the
/// number of threads: where ManyThreadsHelp, it is the convolution that gives each pixel of the input all
/// `stride` x `stride` pixels of the output that lie there.
/// @param weight  in x out x side x side
/// @param bias  undefined for none
torch::Tensor ConvTransposed2d(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                               int64_t stride, int64_t padding = 0);

/// torch::linear: y = x W^T + b over the last dimension. A product of matrices, cut for several threads, has
/// other last bits for each number of them: where ManyThreadsHelp, so many rows are one thread's own.
/// @param bias  undefined for none
torch::Tensor LinearOf(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias);

/// A dense layer by LinearOf.
struct EvenLinear : Linear {
  EvenLinear() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  EvenLinear(Linear layer) : Linear(std::move(layer)) {}
  torch::Tensor operator()(const torch::Tensor& x) const { return LinearOf(x, weight, bias); }
};

/// What torch::group_norm takes away and multiplies, N x groups, in float32. Of maps with their channels
/// last, and of variances by themselves, LibTorch adds up a part by each of the CPU's threads; here each
/// group is one thread's own.
struct GroupMoments {
  torch::Tensor mean, factor;
};
GroupMoments MomentsOfGroups(const torch::Tensor& x, int64_t groups, double epsilon);

/// torch::softmax over the channels of N x C x H x W. LibTorch's own computes the pixels where the shares of
/// two threads meet by other code.
torch::Tensor SoftmaxOfChannels(const torch::Tensor& x);

/// torch::upsample_bilinear2d. LibTorch has a way of its own for three bands and one
/// thread: where ManyThreadsHelp, each band is enlarged by itself.
torch::Tensor EnlargedBilinear(const torch::Tensor& x, int64_t height, int64_t width,
                               bool align_corners = false);

}  // namespace imgmill
