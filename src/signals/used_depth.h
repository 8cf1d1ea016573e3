// How many bits of each sample an image really uses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "imgmill/image/image.h"

namespace imgmill {

/// Looks for the fewest bits from which all samples can have been made: by a shift, whose low bits are zero;
/// or by one of three ways to widen levels to full scale: the high bits repeated below, or multiplied and
/// then rounded or cut off.
class UsedDepth {
 public:
  explicit UsedDepth(const Layout& layout);
  /// A row as it is stored; alpha does not count.
  void Add(const uint8_t* row);
  /// Nothing for samples that are no whole numbers.
  std::optional<int> bits() const;

 private:
  static constexpr size_t kWays = 3;

  template <typename T>
  void AddSamples(const uint8_t* row);
  bool settled() const;  ///< no further sample can make it fewer bits than a sample has

  const Layout layout_;
  const int full_;    ///< bits of a sample as stored
  uint32_t all_ = 0;  ///< bits that any sample has
  /// Of each way, bit b: every sample so far may be one of b bits, widened so.
  std::array<uint32_t, kWays> widened_{};
};

}  // namespace imgmill
