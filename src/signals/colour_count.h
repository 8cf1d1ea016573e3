// How many different colours an image has, as long as they are few.
#pragma once

#include <cstddef>
#include <cstdint>

#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Counts exactly up to kMost, and stops there: photos have that many in a few rows.
class ColourCount {
 public:
  static constexpr int kMost = 1024;

  explicit ColourCount(int bands);
  /// A row of 8-bit pixels.
  void Add(const uint8_t* row, size_t width);
  int found() const { return found_; }
  static size_t PooledBytes() { return kSlots * sizeof(uint32_t); }

 private:
  static constexpr size_t kSlots = 2 * kMost;

  void Note(uint32_t colour);

  const int bands_;
  int found_ = 0;
  PoolArray<uint32_t> seen_;  ///< colour + 1, by a hash of it
};

}  // namespace imgmill
