// A chain of 3x3 convolutions run depth-first: each layer works a few rows behind the one before it and only
// those rows are kept, so that memory does not grow with the image's height and no row is computed twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "imgmill/memory/pool.h"
#include "torch/kernels/winograd.h"
#include "torch/kernels/worker_team.h"

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

/// Convolutions, pixel shuffle, the enlarged input added: SRVGGNetCompact's shape.
class ConvChain {
 public:
  /// Planar RGB, 0..1; the last layer gives 3 * scale * scale channels.
  /// @throws OutOfMemory
  ConvChain(const WinogradKernels& kernels, const std::vector<ChainLayer>& layers, int scale);

  const WinogradKernels& kernels() const noexcept { return kernels_; }
  int scale() const noexcept { return scale_; }
  /// Bytes of the transformed weights.
  size_t weight_bytes() const noexcept { return weights_.size(); }

  /// Bytes of working memory that Run needs: exact, and the same for every height.
  size_t WorkBytes(int width, int threads) const;

  /// input[3][height][width] to output[3][height * scale][width * scale], clamped to 0..1. `work` is
  /// WorkBytes long and 64-byte aligned. The result does not depend on the number of threads.
  void Run(const float* input, float* output, int height, int width, uint8_t* work, WorkerTeam& team) const;

 private:
  friend class ConvChainWork;

  const WinogradKernels& kernels_;
  int scale_;
  std::vector<WinogradLayer> layers_;
  Buffer weights_;
};

}  // namespace imgmill
