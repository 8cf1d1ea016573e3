// A chain of 3x3 convolutions run depth-first: each layer works a few rows behind the one before it and only
// those rows are kept, so that memory does not grow with the image's height and no row is computed twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "imgmill/memory/pool.h"
#include "torch/kernels/kernel_network.h"

namespace imgmill {

/// One convolution as it stands in a weight file. The pointers need only live until the chain is made.
struct ChainLayer {
  int in_channels = 0;
  int out_channels = 0;
  const float* weights = nullptr;  ///< [out][in][3][3]
  const float* bias = nullptr;     ///< [out], or null for none
  const float* slope = nullptr;    ///< [out] factors of PReLU, or null for `common_slope`
  float common_slope = 1.0f;       ///< 1: no activation
};

/// What becomes of the last layer's values.
class ChainTail {
 public:
  virtual ~ChainTail() = default;
  /// Pixels x0 .. x1 - 1 of row y. `values` is pixel 0 of that row, `stride` floats a pixel. Called from many
  /// threads, for each pixel once. @return whether all values were finite
  virtual bool Put(const KernelImage& image, int y, int x0, int x1, const float* values,
                   size_t stride) const noexcept = 0;
};

/// 3x3 convolutions, one behind the other, and a tail.
class ConvChain final : public KernelNetwork {
 public:
  /// @throws OutOfMemory
  ConvChain(const ConvKernels& kernels, const std::vector<ChainLayer>& layers,
            std::unique_ptr<const ChainTail> tail);

  const ConvKernels& kernels() const noexcept override { return kernels_; }
  size_t weight_bytes() const noexcept override { return weights_.size(); }
  /// The same for every height.
  size_t WorkBytes(int height, int width, int threads) const override;
  bool Run(const KernelImage& image, uint8_t* work, WorkerTeam& team) const override;

 private:
  friend class ConvChainWork;

  const ConvKernels& kernels_;
  const std::unique_ptr<const ChainTail> tail_;
  std::vector<ConvLayer> layers_;
  Buffer weights_;
};

}  // namespace imgmill
