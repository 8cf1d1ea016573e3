// How many bits of each sample an image really uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "imgmill/image/image.h"

namespace imgmill {

/// Looks for the fewest bits from which all samples can have been made: by a shift, whose low bits are zero;
/// or by the stretch to full scale that decoders do, which repeats the high bits below.
class UsedDepth {
 public:
  explicit UsedDepth(const Layout& layout);
  /// A row as it is stored; alpha does not count.
  void Add(const uint8_t* row);
  /// Nothing for samples that are no whole numbers.
  std::optional<int> bits() const;

 private:
  template <typename T>
  void AddSamples(const uint8_t* row);

  const Layout layout_;
  const int full_;          ///< bits of a sample as stored
  uint32_t all_ = 0;        ///< bits that any sample has
  uint32_t stretched_ = 0;  ///< bit b: every sample so far may be one of b bits, stretched
};

}  // namespace imgmill
