#include "inflater.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>

#include "deflate_code.h"
#include "image/stored_number.h"

namespace imgmill {
namespace {

constexpr size_t kPiece = size_t{32} << 10;  // of the stream, read at once
constexpr size_t kSlack = 32;                // bytes behind a buffer's end that may be read or written
constexpr size_t kMostHeader = 1024;         // bytes of a block's codes: 570 at most
constexpr size_t kLeastRoom = size_t{32} << 10;
constexpr int kLiteralRoot = 11, kDistanceRoot = 8, kRepeatRoot = 7;  // bits that tables begin with
constexpr size_t kMostLiterals = 288, kMostDistances = 32;

/// What the symbols for literals and lengths stand for.
std::array<InflateEntry, kMostLiterals> LiteralMeaning() {
  std::array<InflateEntry, kMostLiterals> meaning{};
  for (size_t i = 0; i < kEndOfBlock; ++i) meaning[i] = {0, InflateEntry::kLiteral, static_cast<uint16_t>(i)};
  meaning[kEndOfBlock].kind = InflateEntry::kEnd;
  for (size_t i = 0; i < kLengthClasses.size(); ++i)
    meaning[kEndOfBlock + 1 + i] = {0, kLengthClasses[i].extra_bits, kLengthClasses[i].base};
  return meaning;
}

std::array<InflateEntry, kMostDistances> DistanceMeaning() {
  std::array<InflateEntry, kMostDistances> meaning{};
  for (size_t i = 0; i < kDistanceClasses.size(); ++i)
    meaning[i] = {0, kDistanceClasses[i].extra_bits, kDistanceClasses[i].base};
  return meaning;
}

const std::array<InflateEntry, kMostLiterals> kLiteralMeaning = LiteralMeaning();
const std::array<InflateEntry, kMostDistances> kDistanceMeaning = DistanceMeaning();

/// Copies what lies `distance` before `out`, and perhaps some bytes more. @return the end
inline uint8_t* CopyMatch(uint8_t* out, size_t length, size_t distance) {
  constexpr size_t kStep = 16;
  const uint8_t* from = out - distance;
  uint8_t* const end = out + length;
  if (distance >= kStep) {
    for (; out < end; out += kStep, from += kStep) std::memcpy(out, from, kStep);
  } else if (distance == 1) {
    std::memset(out, *from, length);
  } else {
    while (out < end) *out++ = *from++;
  }
  return end;
}

}  // namespace

inline void Inflater::Bits::Refill() {
  uint64_t more = 0;
  std::memcpy(&more, next, sizeof more);
  held |= more << count;
  next += (63 - count) >> 3;
  count |= 56;
}

inline uint32_t Inflater::Bits::Take(int some) {
  const auto value = static_cast<uint32_t>(held & ((uint64_t{1} << some) - 1));
  held >>= some;
  count -= some;
  return value;
}

template <int kRootBits>
inline InflateEntry Inflater::Bits::Look(const InflateEntry* table) {
  InflateEntry entry = table[held & ((1u << kRootBits) - 1)];
  if ((entry.kind & InflateEntry::kTable) != 0) {
    Take(entry.bits);
    const int rest = entry.kind & ~InflateEntry::kTable;
    entry = table[entry.value + (held & ((1u << rest) - 1))];
  }
  held >>= entry.bits;
  count -= entry.bits;
  return entry;
}

void Inflater::Bits::Align() {
  next = place();
  held = 0;
  count = 0;
}

Inflater::Inflater(Source source, size_t largest)
    : source_(std::move(source)),
      in_(kPiece + kSlack),
      out_(HeldBytes(largest) - kPiece - kSlack),
      literals_(kLiteralRoot),
      distances_(kDistanceRoot) {
  bits_.next = in_.data();
}

size_t Inflater::HeldBytes(size_t largest) {
  return kPiece + kSlack + kFarthestMatch + std::max(largest, kLeastRoom) + kLeastRoom + kSlack;
}

const uint8_t* Inflater::Next(size_t bytes) {
  while (out_end_ - out_at_ < bytes && state_ != State::kDone && state_ != State::kBroken) Step();
  if (out_end_ - out_at_ < bytes) return nullptr;
  const uint8_t* const next = out_.data() + out_at_;
  out_at_ += bytes;
  return next;
}

bool Inflater::Finish() {
  while (out_end_ == out_at_ && state_ != State::kDone && state_ != State::kBroken) Step();
  if (state_ != State::kDone || out_end_ != out_at_) return false;
  Checksum();
  bits_.Align();
  if (InLeft() < 4) Fill();
  return InLeft() >= 4 && BigEndian(bits_.next, 4) == checksum_;
}

void Inflater::Checksum() {
  checksum_ = libdeflate_adler32(checksum_, out_.data() + summed_, out_end_ - summed_);
  summed_ = out_end_;
}

void Inflater::Fill() {
  const size_t left = InLeft();
  std::memmove(in_.data(), bits_.next, left);
  bits_.next = in_.data();
  in_end_ = left;
  while (!in_ended_ && in_end_ < kPiece) {
    const size_t got = source_(in_.data() + in_end_, kPiece - in_end_);
    in_end_ += got;
    in_ended_ = got == 0;
  }
  // Behind the end, zeros are read.
  if (in_ended_) std::memset(in_.data() + in_end_, 0, kSlack);
}

/// Of what was handed out, as much stays as a match may point back to.
void Inflater::MakeRoom() {
  if (out_.size() - kSlack - out_end_ >= kLeastRoom / 2) return;
  Checksum();
  const size_t kept = std::max(out_end_ - out_at_, std::min(out_end_, kFarthestMatch));
  const size_t gone = out_end_ - kept;
  std::memmove(out_.data(), out_.data() + gone, kept);
  out_at_ -= gone;
  out_end_ = summed_ = kept;
}

void Inflater::Step() {
  if (!in_ended_ && InLeft() < kMostHeader) Fill();
  MakeRoom();
  switch (state_) {
    case State::kStart:
      return Start();
    case State::kHeader:
      return Header();
    case State::kStored:
      return Stored();
    case State::kCodes:
      return Codes();
    case State::kDone:
    case State::kBroken:
      return;
  }
}

void Inflater::Start() {
  state_ = State::kBroken;
  if (InLeft() < 2) return;
  const uint64_t head = BigEndian(bits_.next, 2);
  bits_.next += 2;
  // Deflate, without a dictionary; and the two bytes' own checksum.
  if ((head >> 8 & 15) == 8 && (head & 0x20) == 0 && head % 31 == 0) state_ = State::kHeader;
}

void Inflater::Header() {
  if (last_block_) {
    state_ = State::kDone;
    return;
  }
  bits_.Refill();
  last_block_ = bits_.Take(1) != 0;
  const uint32_t kind = bits_.Take(2);
  if (kind == 0) return StoredHeader();
  if (kind == 1) FixedCodes();
  const bool whole = kind == 1 || (kind == 2 && ReadCodes());
  state_ = whole && !RanOver() ? State::kCodes : State::kBroken;
}

void Inflater::StoredHeader() {
  bits_.Align();
  state_ = State::kBroken;
  if (RanOver() || InLeft() < 4) return;
  stored_left_ = LittleEndian(bits_.next, 2);
  if ((stored_left_ ^ LittleEndian(bits_.next + 2, 2)) == 0xFFFF) state_ = State::kStored;
  bits_.next += 4;
}

void Inflater::FixedCodes() {
  std::array<uint8_t, kMostLiterals> literals{};
  std::array<uint8_t, kMostDistances> distances{};
  for (size_t i = 0; i < literals.size(); ++i)
    literals[i] = static_cast<uint8_t>(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8);
  distances.fill(5);
  literals_.Make(literals, kLiteralMeaning);
  distances_.Make(distances, kDistanceMeaning);
}

/// RFC 1951, section 3.2.7.
bool Inflater::ReadCodes() {
  constexpr std::array<uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                              11, 4,  12, 3, 13, 2, 14, 1, 15};
  const size_t literals = bits_.Take(5) + 257, distances = bits_.Take(5) + 1, codes = bits_.Take(4) + 4;
  if (literals > kLiteralSymbols || distances > kDistanceSymbols) return false;
  std::array<uint8_t, kOrder.size()> lengths{};
  std::array<InflateEntry, kOrder.size()> meaning{};
  for (size_t i = 0; i < kOrder.size(); ++i) meaning[i] = {0, 0, static_cast<uint16_t>(i)};
  for (size_t i = 0; i < codes; ++i) {
    bits_.Refill();
    lengths[kOrder[i]] = static_cast<uint8_t>(bits_.Take(3));
  }
  InflateTable table(kRepeatRoot);
  if (!table.Make(lengths, meaning)) return false;
  std::array<uint8_t, kMostLiterals + kMostDistances> all{};
  for (size_t at = 0; at < literals + distances;) {
    bits_.Refill();
    const InflateEntry entry = bits_.Look<kRepeatRoot>(table.entries());
    if (entry.kind == InflateEntry::kBad || RanOver()) return false;
    size_t times = 1;
    uint16_t length = entry.value;
    if (length == 16) {
      if (at == 0) return false;
      times = 3 + bits_.Take(2);
      length = all[at - 1];
    } else if (length > 16) {
      times = length == 17 ? 3 + bits_.Take(3) : 11 + bits_.Take(7);
      length = 0;
    }
    if (at + times > literals + distances) return false;
    for (; times > 0; --times) all[at++] = static_cast<uint8_t>(length);
  }
  const std::span<const uint8_t> given(all);
  return all[kEndOfBlock] > 0 && literals_.Make(given.first(literals), kLiteralMeaning) &&
         distances_.Make(given.subspan(literals, distances), kDistanceMeaning);
}

void Inflater::Stored() {
  const size_t now = std::min({stored_left_, InLeft(), out_.size() - kSlack - out_end_});
  std::memcpy(out_.data() + out_end_, bits_.next, now);
  out_end_ += now;
  bits_.next += now;
  stored_left_ -= now;
  if (stored_left_ == 0) {
    state_ = State::kHeader;
  } else if (now == 0 && in_ended_) {
    state_ = State::kBroken;
  }
}

void Inflater::Codes() {
  Bits bits = bits_;  // a copy that no byte written can be an alias of
  const InflateEntry* const literals = literals_.entries();
  const InflateEntry* const distances = distances_.entries();
  const uint8_t* const begin = out_.data();
  const uint8_t* const room = begin + out_.size() - kSlack - kLongestMatch - 2;
  uint8_t* out = out_.data() + out_end_;
  // Eight bytes are read at once, twice in a round: all are the stream's, or zeros behind its end.
  const uint8_t* const stop = in_ended_ ? InEnd() : InEnd() - 2 * sizeof(uint64_t);
  const bool ended = in_ended_;
  const auto reads_on = [&] { return (ended ? bits.place() : bits.next) <= stop; };
  while (out < room && reads_on()) {
    bits.Refill();
    InflateEntry entry = bits.Look<kLiteralRoot>(literals);
    // Three codes have 45 bits at most.
    for (int more = 0; more < 2 && (entry.kind & InflateEntry::kLiteral) != 0; ++more) {
      *out++ = static_cast<uint8_t>(entry.value);
      entry = bits.Look<kLiteralRoot>(literals);
    }
    if ((entry.kind & InflateEntry::kLiteral) != 0) {
      *out++ = static_cast<uint8_t>(entry.value);
      continue;
    }
    if (entry.kind == InflateEntry::kEnd || entry.kind == InflateEntry::kBad) {
      state_ = entry.kind == InflateEntry::kEnd ? State::kHeader : State::kBroken;
      break;
    }
    bits.Refill();
    const size_t length = entry.value + bits.Take(entry.kind);
    const InflateEntry far = bits.Look<kDistanceRoot>(distances);
    const size_t distance = far.value + (far.kind != InflateEntry::kBad ? bits.Take(far.kind) : 0);
    if (far.kind == InflateEntry::kBad || distance > static_cast<size_t>(out - begin)) {
      state_ = State::kBroken;
      break;
    }
    out = CopyMatch(out, length, distance);
  }
  bits_ = bits;
  out_end_ = static_cast<size_t>(out - begin);
  if (RanOver()) state_ = State::kBroken;
}

}  // namespace imgmill
