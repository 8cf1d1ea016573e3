// A network on our own kernels, on the CPU: exact in the memory it takes, and the same bytes for any number
// of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "torch/kernels/conv_kernels.h"
#include "torch/kernels/worker_team.h"

namespace imgmill {

/// One image on its way through a network. Planes of height x width in, enlarged ones of 0..1 out.
struct KernelImage {
  const float* input = nullptr;
  float* output = nullptr;
  int height = 0;
  int width = 0;
};

class KernelNetwork {
 public:
  virtual ~KernelNetwork() = default;

  virtual const ConvKernels& kernels() const noexcept = 0;
  /// Bytes of the weights as they are kept.
  virtual size_t weight_bytes() const noexcept = 0;

  /// Bytes of working memory that Run needs for just that size and that many threads: for a smaller image it
  /// may be more.
  virtual size_t WorkBytes(int height, int width, int threads) const = 0;

  /// `work` is WorkBytes long and 64-byte aligned. The result does not depend on the number of threads.
  /// @return whether all values that came out were finite
  virtual bool Run(const KernelImage& image, uint8_t* work, WorkerTeam& team) const = 0;
};

}  // namespace imgmill
