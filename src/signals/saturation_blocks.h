// Saturation of squares of four by four pixels: that of single ones is mostly noise where an image is noisy,
// and rounding where it is dark.
#pragma once

#include <cstddef>
#include <cstdint>

#include "imgmill/memory/pool_array.h"
#include "signals/detail_kernels.h"
#include "signals/signal_kernels.h"

namespace imgmill {

/// Feeds on planes of colour rows, top to bottom; holds the sums of four rows.
class SaturationBlocks {
 public:
  explicit SaturationBlocks(int64_t width);
  /// A part of a row: `count` values 0..255 of each band, from column `x` on.
  void Add(const int16_t* red, const int16_t* green, const int16_t* blue, size_t x, size_t count);
  void EndRow();
  /// After the last row: mean saturation in percent.
  double Finish();
  static size_t PooledBytes(int64_t width) { return 3 * sizeof(uint16_t) * static_cast<size_t>(width); }

 private:
  static constexpr size_t kSide = 4;
  void EndBlocks();

  const SignalKernels& kernels_ = BestSignalKernels();
  const DetailKernels& detail_kernels_ = BestDetailKernels();
  const size_t width_;
  PoolArray<uint16_t> sums_;  // of each band after the other
  size_t rows_ = 0;           // in the present blocks
  uint64_t total_ = 0;        // 0 to 255 for each pixel
  uint64_t pixels_ = 0;
};

}  // namespace imgmill
