// Tests every sample against every depth that is still possible; of photos none is after a few pixels.
#include "signals/used_depth.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace imgmill {
namespace {

constexpr uint32_t Most(int bits) {
  return (1U << bits) - 1;
}

/// The high bits of `value`, repeated downwards until `full` bits are filled, as decoders widen samples.
constexpr uint32_t Repeated(uint32_t value, int bits, int full) {
  const uint32_t high = value >> (full - bits);
  uint32_t result = 0;
  for (int shift = full - bits; shift > -bits; shift -= bits)
    result |= shift >= 0 ? high << shift : high >> -shift;
  return result;
}

/// What arithmetic makes of the level of `bits` bits nearest to `value`: level * Most(full) / Most(bits),
/// rounded.
constexpr uint32_t Rounded(uint32_t value, int bits, int full) {
  const uint32_t level = (value * Most(bits) + Most(full) / 2) / Most(full);
  return (level * Most(full) + Most(bits) / 2) / Most(bits);
}

/// The same cut off, as a cast to an integer leaves it, of the lowest level that gives `value` or more.
constexpr uint32_t CutOff(uint32_t value, int bits, int full) {
  const uint32_t level = (value * Most(bits) + Most(full) - 1) / Most(full);
  return level * Most(full) / Most(bits);
}

constexpr std::array kWidenings = {Repeated, Rounded, CutOff};

}  // namespace

UsedDepth::UsedDepth(const Layout& layout)
    : layout_(layout),
      full_(layout.sample == Sample::kU16  ? 16
            : layout.sample == Sample::kU8 ? 8
                                           : 0) {
  static_assert(kWidenings.size() == kWays);
  for (int bits = 1; bits < full_; ++bits) {
    for (uint32_t& possible : widened_) possible |= 1U << bits;
  }
}

bool UsedDepth::settled() const {
  return (all_ & 1) != 0 && std::ranges::all_of(widened_, [](uint32_t possible) { return possible == 0; });
}

template <typename T>
void UsedDepth::AddSamples(const uint8_t* row) {
  const auto bands = static_cast<size_t>(layout_.bands);
  const auto colours = static_cast<size_t>(layout_.colour_bands());
  for (int64_t x = 0; x < layout_.width && !settled(); ++x) {
    for (size_t band = 0; band < colours; ++band) {
      T value;
      std::memcpy(&value, row + band * sizeof(T), sizeof value);
      all_ |= value;
      for (size_t way = 0; way < kWays; ++way) {
        for (uint32_t left = widened_[way]; left != 0; left &= left - 1) {
          const int bits = std::countr_zero(left);
          if (kWidenings[way](value, bits, full_) != value) widened_[way] &= ~(1U << bits);
        }
      }
    }
    row += bands * sizeof(T);
  }
}

void UsedDepth::Add(const uint8_t* row) {
  if (full_ == 0 || settled()) return;
  if (full_ == 8) {
    AddSamples<uint8_t>(row);
  } else {
    AddSamples<uint16_t>(row);
  }
}

std::optional<int> UsedDepth::bits() const {
  if (full_ == 0) return std::nullopt;
  int bits = all_ == 0 ? 1 : full_ - std::countr_zero(all_);
  for (const uint32_t possible : widened_) {
    if (possible != 0) bits = std::min(bits, std::countr_zero(possible));
  }
  return bits;
}

}  // namespace imgmill
