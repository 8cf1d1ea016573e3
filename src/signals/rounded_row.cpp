#include "imgmill/signals/rounded_row.h"

#include <algorithm>
#include <cstring>

#include "image/over_white.h"

namespace imgmill {
namespace {

// As src/image/pixel_form.cpp rounds to 8 bits, before alpha is looked at.
uint8_t Rounded(uint8_t v) {
  return v;
}
uint8_t Rounded(uint16_t v) {
  return static_cast<uint8_t>((v * 255U + 32767U) / 65535U);
}
uint8_t Rounded(float v) {
  return v > 0 ? static_cast<uint8_t>(std::min(v, 1.0F) * 255.0F + 0.5F) : uint8_t{0};
}

template <typename T>
void RoundRowOf(const uint8_t* row, const Layout& layout, uint8_t* rounded) {
  const auto colours = static_cast<size_t>(layout.colour_bands());
  const auto at = [&row](size_t band) {
    T value;
    std::memcpy(&value, row + band * sizeof(T), sizeof value);
    return Rounded(value);
  };
  for (int64_t x = 0; x < layout.width; ++x) {
    const uint8_t alpha = layout.has_alpha() ? at(colours) : uint8_t{255};
    for (size_t band = 0; band < colours; ++band) *rounded++ = OverWhite(at(band), alpha);
    row += static_cast<size_t>(layout.bands) * sizeof(T);
  }
}

}  // namespace

void RoundRow(const uint8_t* row, const Layout& layout, uint8_t* rounded) {
  switch (layout.sample) {
    case Sample::kU8:
      return RoundRowOf<uint8_t>(row, layout, rounded);
    case Sample::kU16:
      return RoundRowOf<uint16_t>(row, layout, rounded);
    case Sample::kF32:
      return RoundRowOf<float>(row, layout, rounded);
  }
}

}  // namespace imgmill
