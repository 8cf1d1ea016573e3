// Finds matches: for level 1 with one table that stays in the first cache, for the others along chains.
#include "band_deflater.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace imgmill {
namespace {

/// Bytes of a block. Shorter ones follow the picture better, which is worth their headers of some 80 bytes
/// where literals are dear; more so at level 1, which finds fewer matches.
constexpr size_t kBlock = 65536, kDearBlock = 32768, kFastDearBlock = 16384;
/// Matches of a block at most: where there are so many, it ends earlier.
constexpr size_t kMostSequences = kBlock / 4;

constexpr int kCostBits = 4;
constexpr int64_t kBit = int64_t{1} << kCostBits;

/// Beyond the last position that is hashed, so that 16 bytes can be read from there.
constexpr size_t kTail = 16;
/// A place that is farther away than any match, whatever the position.
constexpr uint32_t kNowhere = 0x80000000;

// Where literals are dear, short matches are worth the search, and there are few; where they are cheap, most
// places have none that is long enough, and a table that stays in the first cache is what counts.
constexpr int64_t kDearBits = 5;  ///< of a literal
constexpr int kDearHashBits = 15, kCheapHashBits = 13;
constexpr int kDearHashBytes = 3, kCheapHashBytes = 6;
/// After so many bytes without a match, every second one is looked at, and so on.
constexpr int kPatienceBits = 6, kDearPatienceBits = 10;
constexpr int kChainHashBits = 15;
constexpr size_t kSurelyWorthwhile = 30;

uint64_t Load64(const uint8_t* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
uint32_t Load32(const uint8_t* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Of the lowest bytes, as many as `shift` leaves.
uint32_t FastHash(uint64_t bytes, int shift, int bits) {
  return static_cast<uint32_t>(((bytes << shift) * 0x9E3779B185EBCA87) >> (64 - bits));
}
uint32_t ChainHash(uint32_t bytes) {
  return bytes * 0x9E3779B1 >> (32 - kChainHashBits);
}

/// How many bytes at `a` and `b` are equal, of which `length` are known to be.
size_t EqualBytes(const uint8_t* a, const uint8_t* b, size_t length, size_t most) {
  while (length + 8 <= most) {
    const uint64_t different = Load64(a + length) ^ Load64(b + length);
    if (different != 0) return length + static_cast<size_t>(__builtin_ctzll(different) >> 3);
    length += 8;
  }
  while (length < most && a[length] == b[length]) ++length;
  return length;
}

}  // namespace

struct BandDeflater::Effort {
  uint32_t chain;   ///< places that are looked at
  uint32_t enough;  ///< a match of this length is taken without looking further
  bool lazy;
};

/// A band while it is worked on.
class BandDeflater::Work {
 public:
  Work(const uint8_t* from, size_t bytes) : data(from), size(bytes) {}
  const uint8_t* const data;
  const size_t size;
  size_t LastHashed() const { return size >= kTail ? size - kTail : 0; }
};

BandDeflater::BandDeflater(int level) : level_(level) {
  if (level == 0) return;
  heads_ = PoolArray<uint32_t>(size_t{1} << (level == 1 ? kDearHashBits : kChainHashBits));
  if (level > 1) chains_ = PoolArray<uint32_t>(kFarthestMatch);
  sequences_ = PoolArray<Sequence>(kMostSequences + 1);
}

size_t BandDeflater::HeldBytes(int level) {
  if (level == 0) return 0;
  const size_t places =
      level == 1 ? size_t{1} << kDearHashBits : (size_t{1} << kChainHashBits) + kFarthestMatch;
  return places * sizeof(uint32_t) + (kMostSequences + 1) * sizeof(Sequence);
}

size_t BandDeflater::Bound(size_t bytes) {
  // As stored, in blocks that may end early; an empty one; and what a BitWriter writes beyond its end.
  constexpr size_t kShortestBlock = std::min(kFastDearBlock, kMostSequences * kShortestMatch);
  return bytes + (bytes / kShortestBlock + 2) * 10 + 32;
}

bool BandDeflater::LiteralsAreDear() const {
  return literal_cost_ >= kDearBits * kBit;
}

/// Before the first block: by its bytes.
void BandDeflater::KnowCosts(const uint8_t* from, size_t bytes) {
  constexpr size_t kEnough = 16384;
  const size_t step = bytes / kEnough + 1;
  std::array<uint32_t, 256> counts{};
  for (size_t i = 0; i < bytes; i += step) ++counts[from[i]];
  const double all = static_cast<double>((bytes + step - 1) / step);
  double bits = 0;
  for (const uint32_t count : counts) {
    if (count > 0) bits += count * std::log2(all / count);
  }
  constexpr int kLengthBits = 7, kDistanceBits = 5;
  literal_cost_ = std::max<int64_t>(kBit, std::llround(bits / all * kBit));
  for (size_t length = kShortestMatch; length <= kLongestMatch; ++length)
    length_costs_[length] = kBit * (kLengthBits + kLengthClasses[LengthClass(length)].extra_bits);
  for (size_t c = 0; c < kDistanceSymbols; ++c)
    distance_costs_[c] = kBit * (kDistanceBits + kDistanceClasses[c].extra_bits);
}

/// After a block: by its codes.
void BandDeflater::LearnCosts() {
  constexpr int kRareLength = 11, kRareDistance = 8;  // bits of what did not occur
  literal_cost_ = std::max<int64_t>(kBit, std::llround(blocks_.literal_mean() * kBit));
  for (size_t length = kShortestMatch; length <= kLongestMatch; ++length) {
    const size_t c = LengthClass(length);
    const int bits = blocks_.literal_bits()[kEndOfBlock + 1 + c];
    length_costs_[length] = kBit * ((bits > 0 ? bits : kRareLength) + kLengthClasses[c].extra_bits);
  }
  for (size_t c = 0; c < kDistanceSymbols; ++c) {
    const int bits = blocks_.distance_bits()[c];
    distance_costs_[c] = kBit * ((bits > 0 ? bits : kRareDistance) + kDistanceClasses[c].extra_bits);
  }
}

/// Matches from `from` to about `end`, one place looked at for each. @return where the block ends
size_t BandDeflater::TakeFast(Work& work, size_t from, size_t end) {
  for (size_t c = 0; c < kDistanceSymbols; ++c) {
    size_t length = kShortestMatch;
    while (length < kSurelyWorthwhile &&
           static_cast<int64_t>(length) * literal_cost_ < length_costs_[length] + distance_costs_[c]) {
      ++length;
    }
    worthwhile_[c] = static_cast<uint32_t>(length);
  }
  const bool dear = LiteralsAreDear();
  const int hashed = dear ? kDearHashBytes : kCheapHashBytes;
  const int bits = dear ? kDearHashBits : kCheapHashBits;
  const int patience = dear ? kDearPatienceBits : kPatienceBits;
  const int shift = 64 - 8 * hashed;
  const uint8_t* const data = work.data;
  const size_t stop = std::min(end, work.LastHashed());
  size_t at = from;
  size_t literals_from = from;
  size_t missed = 0;
  while (at < stop) {
    const uint64_t here = Load64(data + at);
    uint32_t& head = heads_[FastHash(here, shift, bits)];
    const uint32_t place = head;
    head = static_cast<uint32_t>(at);
    const size_t distance = static_cast<uint32_t>(at) - place;
    if (distance <= kFarthestMatch) {
      const uint64_t different = Load64(data + place) ^ here;
      if (different << shift == 0) {
        // Mostly 16 bytes decide, and without a branch, which would be guessed wrong.
        const uint64_t further = Load64(data + place + 8) ^ Load64(data + at + 8);
        const uint64_t first = different != 0 ? different : further;
        size_t length =
            (different != 0 ? 0 : 8) + (first != 0 ? static_cast<size_t>(__builtin_ctzll(first) >> 3) : 8);
        if (length == 16)
          length = EqualBytes(data + at, data + place, length, std::min(kLongestMatch, work.size - at));
        if (length >= worthwhile_[DistanceClass(distance)]) {
          size_t begin = at;
          while (begin > literals_from && begin > distance && length < kLongestMatch &&
                 data[begin - 1] == data[begin - 1 - distance]) {
            --begin;
            ++length;
          }
          sequences_[sequence_count_++] = {static_cast<uint32_t>(begin - literals_from),
                                           static_cast<uint16_t>(length), static_cast<uint16_t>(distance)};
          const size_t behind = begin + length;
          for (const size_t inside : {at + 1, at + 2, behind - 2}) {
            if (inside > at && inside < std::min(behind, stop))
              heads_[FastHash(Load64(data + inside), shift, bits)] = static_cast<uint32_t>(inside);
          }
          at = literals_from = behind;
          missed = 0;
          if (sequence_count_ == kMostSequences) return behind;
          continue;
        }
      }
    }
    at += 1 + (missed++ >> patience);
  }
  at = std::max(literals_from, end);
  sequences_[sequence_count_++] = {static_cast<uint32_t>(at - literals_from), 0, 0};
  return at;
}

void BandDeflater::Insert(const Work& work, size_t at) {
  uint32_t& head = heads_[ChainHash(Load32(work.data + at))];
  chains_[at % kFarthestMatch] = head;
  head = static_cast<uint32_t>(at);
}

/// The match at `at` that saves most. `at` must have been inserted.
BandDeflater::Match BandDeflater::Find(const Work& work, size_t at, const Effort& effort) const {
  const uint8_t* const here = work.data + at;
  const size_t most = std::min(kLongestMatch, work.size - at);
  Match best;
  uint32_t place = chains_[at % kFarthestMatch];
  const uint32_t first = Load32(here);
  size_t longest = kShortestMatch;
  for (uint32_t left = effort.chain; left > 0; --left) {
    const size_t distance = static_cast<uint32_t>(at) - place;
    if (distance > kFarthestMatch) break;
    const uint8_t* const there = work.data + place;
    // One that is farther away must be longer.
    if (there[longest] == here[longest] && Load32(there) == first) {
      const size_t length = EqualBytes(here, there, 4, most);
      if (length > longest) {
        const int64_t gain = static_cast<int64_t>(length) * literal_cost_ - length_costs_[length] -
                             distance_costs_[DistanceClass(distance)];
        if (gain > best.gain) best = {length, distance, gain};
        longest = length;
        if (length >= effort.enough || length == most) break;
      }
    }
    const uint32_t next = chains_[place % kFarthestMatch];
    if (static_cast<uint32_t>(at) - next <= distance) break;  // overwritten since
    place = next;
  }
  return best;
}

size_t BandDeflater::TakeBest(Work& work, size_t from, size_t end) {
  static constexpr Effort kEfforts[] = {{6, 32, false},   {8, 32, true},    {12, 32, true},
                                        {24, 64, true},   {48, 128, true},  {96, 128, true},
                                        {384, 258, true}, {2048, 258, true}};
  const Effort& effort = kEfforts[std::min(level_, 9) - 2];
  const size_t stop = std::min(end, work.LastHashed());
  size_t at = from;
  size_t literals_from = from;
  Match match;
  bool found = false;  // `match` is what there is at `at`, which is inserted
  while (at < stop) {
    if (!found) {
      Insert(work, at);
      match = Find(work, at, effort);
    }
    found = false;
    if (match.gain <= 0) {
      ++at;
      continue;
    }
    size_t inserted = at + 1;
    if (effort.lazy && match.length < effort.enough && at + 1 < stop) {
      Insert(work, at + 1);
      ++inserted;
      const Match later = Find(work, at + 1, effort);
      if (later.gain > match.gain) {
        match = later;
        found = true;
        ++at;
        continue;
      }
    }
    sequences_[sequence_count_++] = {static_cast<uint32_t>(at - literals_from),
                                     static_cast<uint16_t>(match.length),
                                     static_cast<uint16_t>(match.distance)};
    const size_t behind = at + match.length;
    for (size_t inside = inserted; inside < std::min(behind, work.LastHashed()); ++inside)
      Insert(work, inside);
    at = literals_from = behind;
    if (sequence_count_ == kMostSequences) return behind;
  }
  at = std::max(literals_from, end);
  sequences_[sequence_count_++] = {static_cast<uint32_t>(at - literals_from), 0, 0};
  return at;
}

size_t BandDeflater::Deflate(const uint8_t* from, size_t bytes, bool final, uint8_t* to) {
  BitWriter out(to);
  if (level_ == 0) {
    BlockWriter::Store(from, bytes, final, out);
    return static_cast<size_t>(out.next() - to);
  }
  Work work(from, bytes);
  heads_.Fill(kNowhere);
  if (chains_.size() > 0) chains_.Fill(kNowhere);
  KnowCosts(from, std::min(bytes, kBlock));
  for (size_t at = 0; at < bytes;) {
    sequence_count_ = 0;
    const size_t end = std::min(bytes, at + (!LiteralsAreDear() ? kBlock
                                             : level_ == 1      ? kFastDearBlock
                                                                : kDearBlock));
    const size_t behind = level_ == 1 ? TakeFast(work, at, end) : TakeBest(work, at, end);
    blocks_.Write(from + at, behind - at, {sequences_.data(), sequence_count_}, final && behind == bytes,
                  out);
    LearnCosts();
    at = behind;
  }
  if (!final || bytes == 0) BlockWriter::Store(from, 0, final, out);
  out.Align();
  return static_cast<size_t>(out.next() - to);
}

}  // namespace imgmill
