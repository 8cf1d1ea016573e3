// Tests every sample against every depth that is still possible; of photos none is after a few pixels.
#include "signals/used_depth.h"

#include <bit>
#include <cstring>

namespace imgmill {
namespace {

/// A number of `bits` bits, repeated downwards until `full` bits are filled.
constexpr uint32_t Stretched(uint32_t value, int bits, int full) {
  uint32_t result = 0;
  for (int shift = full - bits; shift > -bits; shift -= bits)
    result |= shift >= 0 ? value << shift : value >> -shift;
  return result;
}

}  // namespace

UsedDepth::UsedDepth(const Layout& layout)
    : layout_(layout),
      full_(layout.sample == Sample::kU16  ? 16
            : layout.sample == Sample::kU8 ? 8
                                           : 0) {
  for (int bits = 1; bits < full_; ++bits) stretched_ |= 1U << bits;
}

template <typename T>
void UsedDepth::AddSamples(const uint8_t* row) {
  const auto bands = static_cast<size_t>(layout_.bands);
  const auto colours = static_cast<size_t>(layout_.colour_bands());
  for (int64_t x = 0; x < layout_.width; ++x) {
    for (size_t band = 0; band < colours; ++band) {
      T value;
      std::memcpy(&value, row + band * sizeof(T), sizeof value);
      all_ |= value;
      for (uint32_t left = stretched_; left != 0; left &= left - 1) {
        const int bits = std::countr_zero(left);
        if (Stretched(static_cast<uint32_t>(value) >> (full_ - bits), bits, full_) != value)
          stretched_ &= ~(1U << bits);
      }
    }
    if (stretched_ == 0 && (all_ & 1) != 0) return;
    row += bands * sizeof(T);
  }
}

void UsedDepth::Add(const uint8_t* row) {
  if (full_ == 0 || (stretched_ == 0 && (all_ & 1) != 0)) return;
  if (full_ == 8) {
    AddSamples<uint8_t>(row);
  } else {
    AddSamples<uint16_t>(row);
  }
}

std::optional<int> UsedDepth::bits() const {
  if (full_ == 0) return std::nullopt;
  int bits = full_;
  if (stretched_ != 0) bits = std::countr_zero(stretched_);
  const int shifted = all_ == 0 ? 1 : full_ - std::countr_zero(all_);
  return std::min(bits, shifted);
}

}  // namespace imgmill
