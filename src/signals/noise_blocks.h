// The noise of an image, from the flattest of its blocks: texture is in some places only, noise is
// everywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "imgmill/memory/pool_array.h"
#include "signals/signal_kernels.h"

namespace imgmill {

/// Feeds on windows of three rows of luma, top to bottom; holds sums of 16 of them and a histogram of blocks.
class NoiseBlocks {
 public:
  /// Side of a block in windows; of an image with fewer, the only block is smaller.
  static constexpr size_t kSide = 16;

  /// @param width  of the image, 3 or more.
  explicit NoiseBlocks(int64_t width);
  void Add(const uint8_t* above, const uint8_t* row, const uint8_t* below);
  /// After the last window: standard deviation in levels, 0 where it is under 1 or no block can tell.
  double Finish();
  static size_t PooledBytes(int64_t width);

 private:
  /// Blocks of about the same response: eight classes for each time that it doubles.
  struct Class {
    uint64_t blocks = 0;
    uint64_t mask = 0;   ///< sum of Immerkaer's mask, absolute
    uint64_t slope = 0;  ///< sum of steps over two pixels along the row, absolute
  };
  void EndBlocks();

  const SignalKernels& kernels_ = BestSignalKernels();
  const size_t windows_;  // in a row
  const size_t across_;   // of a block
  PoolArray<uint16_t> mask_, slope_;
  PoolArray<uint8_t> clipped_;
  size_t rows_ = 0;    // of windows in the present blocks
  size_t pixels_ = 0;  // of a block that was counted
  std::array<Class, 8 * 20> classes_;
};

}  // namespace imgmill
