// One direction of Pillow's resize on 8-bit rows: across a row, or down a column of rows.
#pragma once

#include <cstdint>
#include <functional>

#include "imgmill/base/model_input.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// From so many pixels to so many others, of which a part is wanted.
struct ResizeAxis {
  int64_t input = 0, output = 0;
  int64_t skip = 0;  ///< outputs in front of those that are wanted
  int64_t keep = 0;  ///< how many are; 0: all

  int64_t kept() const { return keep > 0 ? keep : output; }
};

/// Wanted output pixel i is a weighted sum of `count[i]` input pixels from `first[i]`. Weights are fixed
/// point with 22 fractional bits. Source: Pillow's documentation of its convolution-based filters; the
/// rounding is checked against Pillow.
struct ResizeWeights {
  static constexpr int kFractionBits = 22;
  ResizeWeights(const ResizeAxis& axis, ResizeFilter filter);
  static size_t PooledBytes(const ResizeAxis& axis, ResizeFilter filter);

  size_t taps = 0;  ///< the row length of `weights`; rows are filled up with zeros
  PoolArray<int32_t> first;
  PoolArray<int32_t> count;
  PoolArray<int32_t> weights;
};

/// Resizes rows of `bands` (1 or 3) interleaved bands, rounding to 8 bits.
class AcrossPass {
 public:
  AcrossPass(const ResizeAxis& axis, int bands, ResizeFilter filter);
  static size_t PooledBytes(const ResizeAxis& axis, int bands, ResizeFilter filter);
  void Apply(const uint8_t* row, uint8_t* resized);

 private:
  size_t input_;
  size_t output_;
  int bands_;
  size_t padded_taps_ = 0;
  PoolArray<int32_t> first_;
  // Weights split as high * 2^12 + low, so that 16-bit products do.
  PoolArray<int16_t> low_;
  PoolArray<int16_t> high_;
  size_t plane_stride_ = 0;
  PoolArray<int16_t> planes_;  // the row, one band after another
};

/// Resizes a stack of rows of `length` bytes, rounding to 8 bits. Only the
/// output rows that still wait for input are held, as running sums: 8 of them when shrinking by Lanczos.
class DownPass {
 public:
  DownPass(const ResizeAxis& axis, size_t length, ResizeFilter filter);
  static size_t PooledBytes(const ResizeAxis& axis, size_t length, ResizeFilter filter);
  /// The next row. Output rows that are complete with it are given to `sink` in order.
  void Add(const uint8_t* row, const std::function<void(const uint8_t*)>& sink);

 private:
  size_t length_;
  ResizeWeights weights_;
  size_t ring_;
  int64_t next_row_ = 0;
  size_t first_open_ = 0;
  size_t end_open_ = 0;
  PoolArray<uint32_t> sums_;
  PoolArray<uint8_t> complete_;
};

}  // namespace imgmill
