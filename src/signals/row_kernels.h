// The inner loops of the horizontal resize: bands split apart, and weighted sums over runs of their pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace imgmill {

/// Taps are filled up with zero weights to a multiple of this.
inline constexpr size_t kTapGroup = 16;
/// The low part of a split weight has this many bits.
inline constexpr int kLowWeightBits = 12;

/// One implementation of both loops for one instruction set.
struct RowKernels {
  std::string_view name;

  /// Spreads a row of `width` pixels of 3 interleaved bands into three planes.
  void (*split_rgb)(const uint8_t* row, size_t width, int16_t* planes, size_t plane_stride);

  /// For each band b: sums[b] = sum over i of planes[b * plane_stride + i] * (high[i] * 2^12 + low[i]),
  /// modulo 2^32. `bands` is 1 or 3, plane values are 0..255, `taps` is a multiple of kTapGroup.
  void (*tap_sums)(const int16_t* planes, size_t plane_stride, int bands, const int16_t* low,
                   const int16_t* high, size_t taps, uint32_t* sums);
};

/// All that this machine can run, for tests: first plain C++, the oracle of the others, last the fastest.
const std::vector<RowKernels>& AvailableRowKernels();
inline const RowKernels& BestRowKernels() {
  return AvailableRowKernels().back();
}

}  // namespace imgmill
