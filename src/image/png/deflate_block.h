// One block of a deflate stream: literals and matches that were chosen, written in the shortest of the three
// forms that the format has.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "deflate_code.h"

namespace imgmill {

/// Some literals, then a match.
struct Sequence {
  uint32_t literals;
  uint16_t length;    ///< 0: none, at the end of a block
  uint16_t distance;  ///< 1 to 32768
};

/// Bits, the lowest first, into bytes. Up to 8 bytes beyond the end are written, too.
class BitWriter {
 public:
  explicit BitWriter(uint8_t* to) : next_(to) {}

  /// At most 56 bits may be waiting; each Flush leaves at most 7.
  void Put(uint64_t bits, int count) {
    waiting_ |= bits << count_;
    count_ += count;
  }
  void Flush() {
    std::memcpy(next_, &waiting_, sizeof waiting_);  // little-endian machines only, as all of imgmill
    next_ += count_ >> 3;
    waiting_ >>= count_ & ~7;
    count_ &= 7;
  }
  void PutAndFlush(uint64_t bits, int count) {
    Put(bits, count);
    Flush();
  }
  /// Zeros up to a whole byte.
  void Align() {
    count_ = (count_ + 7) & ~7;
    Flush();
  }
  /// After Align.
  void Bytes(const uint8_t* from, size_t count) {
    std::memcpy(next_, from, count);
    next_ += count;
  }
  int waiting() const { return count_; }
  uint8_t* next() const { return next_; }

 private:
  uint8_t* next_;
  uint64_t waiting_ = 0;
  int count_ = 0;
};

/// Writes blocks; knows the codes of the last one.
class BlockWriter {
 public:
  /// @param from       the bytes that the sequences stand for; up to 3 behind them are read
  /// @param sequences  of them all but the last have matches; matches reach back to earlier blocks, too
  void Write(const uint8_t* from, size_t bytes, std::span<const Sequence> sequences, bool final,
             BitWriter& to);

  /// The bytes as they are.
  static void Store(const uint8_t* from, size_t bytes, bool final, BitWriter& to);

  /// Bits of each symbol in codes made for the last block; 0 of a symbol that did not occur.
  std::span<const uint8_t, kLiteralSymbols> literal_bits() const { return literal_bits_; }
  std::span<const uint8_t, kDistanceSymbols> distance_bits() const { return distance_bits_; }
  /// Mean bits of a literal there.
  double literal_mean() const;

 private:
  void Count(const uint8_t* from, std::span<const Sequence> sequences);
  uint64_t BitsWith(const uint8_t* literal_bits, const uint8_t* distance_bits) const;
  void PutCodeLengths(BitWriter& to) const;
  static void PutSymbols(const uint8_t* from, std::span<const Sequence> sequences,
                         const uint8_t* literal_bits, const uint8_t* distance_bits, BitWriter& to);
  uint64_t PackCodeLengths();

  std::array<uint32_t, kLiteralSymbols> literals_{};
  std::array<uint32_t, kDistanceSymbols> distances_{};
  std::array<uint8_t, kLiteralSymbols> literal_bits_{};
  std::array<uint8_t, kDistanceSymbols> distance_bits_{};

  // The code lengths as the block's header tells them: symbols of RFC 1951, 3.2.7, with their extra bits.
  struct Packed {
    uint8_t symbol;
    uint8_t extra;
  };
  std::array<Packed, kLiteralSymbols + kDistanceSymbols> packed_{};
  size_t packed_count_ = 0;
  size_t literal_codes_ = 0;
  size_t distance_codes_ = 0;
  size_t packed_codes_ = 0;
  std::array<uint8_t, 19> packed_bits_{};
};

}  // namespace imgmill
