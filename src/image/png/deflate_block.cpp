// Counts symbols, compares the three forms of a block, and writes the shortest.
#include "deflate_block.h"

#include <algorithm>

namespace imgmill {
namespace {

constexpr size_t kMostStored = 65535;
constexpr uint64_t kStored = 0, kFixed = 1, kDynamic = 2;
constexpr int kHeaderBits = 3;

constexpr int kLongestPackedCode = 7;
constexpr std::array<uint8_t, 19> kPackedOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                  11, 4,  12, 3, 13, 2, 14, 1, 15};
constexpr uint8_t kRepeat = 16, kFewZeros = 17, kManyZeros = 18;
constexpr int ExtraBits(uint8_t symbol) {
  return symbol == kRepeat ? 2 : symbol == kFewZeros ? 3 : symbol == kManyZeros ? 7 : 0;
}

struct FixedBits {
  std::array<uint8_t, kLiteralSymbols + 2> literals{};
  std::array<uint8_t, kDistanceSymbols> distances{};
};
constexpr FixedBits MakeFixedBits() {  // RFC 1951, 3.2.6
  FixedBits bits;
  for (size_t s = 0; s < bits.literals.size(); ++s) {
    bits.literals[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
  }
  bits.distances.fill(5);
  return bits;
}
constexpr FixedBits kFixedBits = MakeFixedBits();

/// A code and its number of bits, to be had at one go.
struct Code {
  uint32_t bits;
  uint32_t count;
};

}  // namespace

void BlockWriter::Store(const uint8_t* from, size_t bytes, bool final, BitWriter& to) {
  do {
    const size_t now = std::min(bytes, kMostStored);
    to.PutAndFlush((final && now == bytes ? 1U : 0U) | kStored << 1, kHeaderBits);
    to.Align();
    to.PutAndFlush(now | (now ^ 0xFFFF) << 16, 32);
    to.Bytes(from, now);
    from += now;
    bytes -= now;
  } while (bytes > 0);
}

void BlockWriter::Count(const uint8_t* from, std::span<const Sequence> sequences) {
  // Four tables: a counter is not read again while it is being written.
  std::array<std::array<uint32_t, 256>, 4> counts{};
  literals_.fill(0);
  distances_.fill(0);
  for (const Sequence& sequence : sequences) {
    // Up to three of the last four are none: added as nothing, since a branch on their number would be
    // guessed wrong.
    for (size_t i = 0; i < sequence.literals; i += 4) {
      const size_t left = sequence.literals - i;
      ++counts[0][from[i]];
      counts[1][from[i + 1]] += left > 1 ? 1 : 0;
      counts[2][from[i + 2]] += left > 2 ? 1 : 0;
      counts[3][from[i + 3]] += left > 3 ? 1 : 0;
    }
    from += sequence.literals;
    if (sequence.length == 0) continue;
    ++literals_[kEndOfBlock + 1 + LengthClass(sequence.length)];
    ++distances_[DistanceClass(sequence.distance)];
    from += sequence.length;
  }
  for (size_t s = 0; s < 256; ++s) literals_[s] = counts[0][s] + counts[1][s] + counts[2][s] + counts[3][s];
  literals_[kEndOfBlock] = 1;
}

uint64_t BlockWriter::BitsWith(const uint8_t* literal_bits, const uint8_t* distance_bits) const {
  uint64_t bits = 0;
  for (size_t s = 0; s < kLiteralSymbols; ++s) bits += uint64_t{literals_[s]} * literal_bits[s];
  for (size_t c = 0; c < kLengthClasses.size(); ++c)
    bits += uint64_t{literals_[kEndOfBlock + 1 + c]} * kLengthClasses[c].extra_bits;
  for (size_t s = 0; s < kDistanceSymbols; ++s)
    bits += uint64_t{distances_[s]} * (distance_bits[s] + 0U + kDistanceClasses[s].extra_bits);
  return bits;
}

/// Says the code lengths with runs, and makes a code for that. @return its bits
uint64_t BlockWriter::PackCodeLengths() {
  literal_codes_ = kLiteralSymbols;
  while (literal_codes_ > kEndOfBlock + 1 && literal_bits_[literal_codes_ - 1] == 0) --literal_codes_;
  distance_codes_ = kDistanceSymbols;
  while (distance_codes_ > 1 && distance_bits_[distance_codes_ - 1] == 0) --distance_codes_;
  std::array<uint8_t, kLiteralSymbols + kDistanceSymbols> all{};
  std::copy_n(literal_bits_.begin(), literal_codes_, all.begin());
  std::copy_n(distance_bits_.begin(), distance_codes_,
              all.begin() + static_cast<std::ptrdiff_t>(literal_codes_));
  const size_t count = literal_codes_ + distance_codes_;

  packed_count_ = 0;
  std::array<uint32_t, 19> used{};
  const auto put = [&](uint8_t symbol, size_t extra) {
    packed_[packed_count_++] = {symbol, static_cast<uint8_t>(extra)};
    ++used[symbol];
  };
  for (size_t i = 0; i < count;) {
    const uint8_t bits = all[i];
    size_t run = 1;
    while (i + run < count && all[i + run] == bits) ++run;
    i += run;
    if (bits != 0) {
      put(bits, 0);
      --run;
    }
    while (run >= 3) {
      const size_t most = bits != 0 ? 6 : 138;
      const size_t now = std::min(run, most);
      if (bits != 0) {
        put(kRepeat, now - 3);
      } else if (now <= 10) {
        put(kFewZeros, now - 3);
      } else {
        put(kManyZeros, now - 11);
      }
      run -= now;
    }
    for (; run > 0; --run) put(bits, 0);
  }
  MakeCodeLengths(used, kLongestPackedCode, packed_bits_.data());
  packed_codes_ = kPackedOrder.size();
  while (packed_codes_ > 4 && packed_bits_[kPackedOrder[packed_codes_ - 1]] == 0) --packed_codes_;
  uint64_t bits = 5 + 5 + 4 + 3 * packed_codes_;
  for (uint8_t s = 0; s < used.size(); ++s)
    bits += used[s] * static_cast<uint64_t>(packed_bits_[s] + ExtraBits(s));
  return bits;
}

void BlockWriter::PutCodeLengths(BitWriter& to) const {
  to.Put(literal_codes_ - (kEndOfBlock + 1), 5);
  to.Put(distance_codes_ - 1, 5);
  to.PutAndFlush(packed_codes_ - 4, 4);
  for (size_t i = 0; i < packed_codes_; ++i) to.PutAndFlush(packed_bits_[kPackedOrder[i]], 3);
  std::array<uint16_t, 19> codes{};
  MakeCodes(packed_bits_, codes.data());
  for (size_t i = 0; i < packed_count_; ++i) {
    const auto [symbol, extra] = packed_[i];
    to.Put(codes[symbol], packed_bits_[symbol]);
    to.PutAndFlush(extra, ExtraBits(symbol));
  }
}

void BlockWriter::PutSymbols(const uint8_t* from, std::span<const Sequence> sequences,
                             const uint8_t* literal_bits, const uint8_t* distance_bits, BitWriter& to) {
  constexpr size_t kCodes = kLiteralSymbols + 2;
  std::array<uint16_t, kCodes> literal_codes{};
  std::array<uint16_t, kDistanceSymbols> distance_codes{};
  std::array<uint8_t, kCodes> bits{};  // the fixed code counts two more symbols
  std::copy_n(literal_bits, kLiteralSymbols, bits.begin());
  if (literal_bits == kFixedBits.literals.data()) bits = kFixedBits.literals;
  MakeCodes(bits, literal_codes.data());
  MakeCodes({distance_bits, kDistanceSymbols}, distance_codes.data());
  std::array<Code, 256> literals;
  for (size_t s = 0; s < literals.size(); ++s) literals[s] = {literal_codes[s], literal_bits[s]};
  std::array<Code, kLongestMatch + 1> lengths{};
  for (size_t length = kShortestMatch; length <= kLongestMatch; ++length) {
    const size_t c = LengthClass(length);
    const size_t symbol = kEndOfBlock + 1 + c;
    const auto extra = static_cast<uint32_t>(length - kLengthClasses[c].base);
    lengths[length] = {literal_codes[symbol] | extra << literal_bits[symbol],
                       literal_bits[symbol] + 0U + kLengthClasses[c].extra_bits};
  }
  const auto two = [&](const uint8_t* at) -> Code {
    const Code a = literals[at[0]];
    const Code b = literals[at[1]];
    return {a.bits | b.bits << a.count, a.count + b.count};
  };
  BitWriter out = to;  // in registers
  for (const Sequence& sequence : sequences) {
    const uint8_t* const end = from + sequence.literals;
    for (; from + 4 <= end; from += 4) {
      const Code a = two(from);
      const Code b = two(from + 2);
      out.Put(a.bits | uint64_t{b.bits} << a.count, static_cast<int>(a.count + b.count));
      out.Flush();
    }
    if (from < end) {
      const size_t left = static_cast<size_t>(end - from);
      const Code none = {0, 0};
      const Code a = literals[from[0]];
      const Code b = left > 1 ? literals[from[1]] : none;
      const Code c = left > 2 ? literals[from[2]] : none;
      out.Put(a.bits | uint64_t{b.bits} << a.count | uint64_t{c.bits} << (a.count + b.count),
              static_cast<int>(a.count + b.count + c.count));
      out.Flush();
      from = end;
    }
    if (sequence.length == 0) continue;
    const Code length = lengths[sequence.length];
    out.Put(length.bits, static_cast<int>(length.count));
    const size_t c = DistanceClass(sequence.distance);
    out.Put(distance_codes[c], distance_bits[c]);
    out.PutAndFlush(sequence.distance - 0U - kDistanceClasses[c].base, kDistanceClasses[c].extra_bits);
    from += sequence.length;
  }
  out.PutAndFlush(literal_codes[kEndOfBlock], literal_bits[kEndOfBlock]);
  to = out;
}

double BlockWriter::literal_mean() const {
  uint64_t bits = 0;
  uint64_t count = 0;
  for (size_t s = 0; s < kEndOfBlock; ++s) {
    bits += uint64_t{literals_[s]} * literal_bits_[s];
    count += literals_[s];
  }
  return count == 0 ? 8 : static_cast<double>(bits) / static_cast<double>(count);
}

void BlockWriter::Write(const uint8_t* from, size_t bytes, std::span<const Sequence> sequences, bool final,
                        BitWriter& to) {
  Count(from, sequences);
  MakeCodeLengths(literals_, kLongestLiteralCode, literal_bits_.data());
  MakeCodeLengths(distances_, kLongestDistanceCode, distance_bits_.data());
  const uint64_t with_codes = PackCodeLengths() + BitsWith(literal_bits_.data(), distance_bits_.data());
  const uint64_t fixed = BitsWith(kFixedBits.literals.data(), kFixedBits.distances.data());
  const uint64_t stored = 8 * bytes + (bytes / kMostStored + 1) * 40;
  if (stored <= std::min(with_codes, fixed)) return Store(from, bytes, final, to);
  const bool own = with_codes < fixed;
  to.PutAndFlush((final ? 1U : 0U) | (own ? kDynamic : kFixed) << 1, kHeaderBits);
  if (own) {
    PutCodeLengths(to);
    PutSymbols(from, sequences, literal_bits_.data(), distance_bits_.data(), to);
  } else {
    PutSymbols(from, sequences, kFixedBits.literals.data(), kFixedBits.distances.data(), to);
  }
}

}  // namespace imgmill
