// A chain of 3x3 convolutions run depth-first: each layer works a few rows behind the one before it and only
// those rows are kept, so that memory does not grow with the image's height and no row is computed twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

/// One image on its way through a chain. Planes of height x width in; what is out is the tail's matter.
struct ChainImage {
  const float* input = nullptr;
  float* output = nullptr;
  int height = 0;
  int width = 0;
};

/// What becomes of the last layer's values.
class ChainTail {
 public:
  virtual ~ChainTail() = default;
  /// Pixels x0 .. x1 - 1 of row y. `values` is pixel 0 of that row, `stride` floats a pixel. Called from many
  /// threads, for each pixel once. @return whether all values were finite
  virtual bool Put(const ChainImage& image, int y, int x0, int x1, const float* values,
                   size_t stride) const noexcept = 0;
};

/// 3x3 convolutions, one behind the other, and a tail.
class ConvChain {
 public:
  /// @throws OutOfMemory
  ConvChain(const WinogradKernels& kernels, const std::vector<ChainLayer>& layers,
            std::unique_ptr<const ChainTail> tail);

  const WinogradKernels& kernels() const noexcept { return kernels_; }
  /// Bytes of the transformed weights.
  size_t weight_bytes() const noexcept { return weights_.size(); }

  /// Bytes of working memory that Run needs: exact, and the same for every height.
  size_t WorkBytes(int width, int threads) const;

  /// `work` is WorkBytes long and 64-byte aligned. The result does not depend on the number of threads.
  /// @return whether all values that came out were finite
  bool Run(const ChainImage& image, uint8_t* work, WorkerTeam& team) const;

 private:
  friend class ConvChainWork;

  const WinogradKernels& kernels_;
  const std::unique_ptr<const ChainTail> tail_;
  std::vector<WinogradLayer> layers_;
  Buffer weights_;
};

}  // namespace imgmill
