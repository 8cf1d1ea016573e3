// Prefix codes of the deflate format: made from how often symbols occur, and written into a block's header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace imgmill {

/// Numbers of RFC 1951.
inline constexpr size_t kLiteralSymbols = 286;  ///< bytes, end of block, and 29 classes of match lengths
inline constexpr size_t kDistanceSymbols = 30;
inline constexpr size_t kEndOfBlock = 256;
inline constexpr size_t kShortestMatch = 3;
inline constexpr size_t kLongestMatch = 258;
inline constexpr size_t kFarthestMatch = 32768;

/// Four literals, and what is left of a byte, fit into 64 bits.
inline constexpr int kLongestLiteralCode = 14;
inline constexpr int kLongestDistanceCode = 15;

/// A class of lengths or distances: all numbers from `base` on that differ in the last `extra_bits` only.
struct NumberClass {
  uint16_t base;
  uint8_t extra_bits;
};
extern const std::array<NumberClass, kLiteralSymbols - kEndOfBlock - 1> kLengthClasses;
extern const std::array<NumberClass, kDistanceSymbols> kDistanceClasses;

/// The class of a match length, from 3 to 258.
size_t LengthClass(size_t length);
/// The class of a distance, from 1 to 32768.
inline size_t DistanceClass(size_t distance) {
  if (distance <= 2) return distance - 1;
  const auto high = static_cast<size_t>(63 - __builtin_clzll(distance - 1));
  return 2 * high + (((distance - 1) >> (high - 1)) & 1);
}

/// Code lengths (0: a symbol that does not occur) of an optimal prefix code, but for the limit, which is kept
/// by a rule that costs next to nothing. One symbol alone gets one bit, and a second symbol another: readers
/// want whole codes.
/// @param counts   how often each symbol occurs; at most 288 symbols
/// @param longest  bits of the longest code allowed; 2^longest is at least the number of symbols
void MakeCodeLengths(std::span<const uint32_t> counts, int longest, uint8_t* lengths);

/// The codes that follow from the lengths (RFC 1951, 3.2.2), their bits in the order in which they are
/// written.
void MakeCodes(std::span<const uint8_t> lengths, uint16_t* codes);

}  // namespace imgmill
