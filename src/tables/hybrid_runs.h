// Parquet's small numbers: runs of one value, and bit-packed groups of eight, in turns.
#pragma once

#include <cstdint>
#include <span>

namespace imgmill {

/// Source: Encodings.md of the format's specification, "Run Length Encoding / Bit-Packing Hybrid".
class HybridRuns {
 public:
  HybridRuns() = default;
  /// @param width  bits of a value, 0 to 32
  HybridRuns(std::span<const uint8_t> bytes, int width) : bytes_(bytes), width_(width) {}

  /// False where the bytes end early.
  bool Next(uint32_t& value) {
    while (repeats_ == 0 && packed_ == 0) {
      if (!BeginRun()) return false;
    }
    if (repeats_ > 0) {
      --repeats_;
      value = repeated_;
      return true;
    }
    --packed_;
    value = 0;
    for (int bit = 0; bit < width_; ++bit, ++bit_)
      value |= static_cast<uint32_t>(bytes_[bit_ / 8] >> (bit_ % 8) & 1) << bit;
    if (packed_ == 0) bytes_ = bytes_.subspan(bit_ / 8);
    return true;
  }

 private:
  bool BeginRun();

  std::span<const uint8_t> bytes_;
  int width_ = 0;
  uint64_t repeats_ = 0;
  uint32_t repeated_ = 0;
  uint64_t packed_ = 0;
  size_t bit_ = 0;  ///< of a packed group, from the first of `bytes_`
};

}  // namespace imgmill
