// Floats of half the width, as NumPy's float16 and Parquet's FLOAT16 are stored.
#pragma once

#include <bit>
#include <cstdint>

namespace imgmill {

/// IEEE 754's binary16, rounded to nearest, ties to even; what is too large becomes infinite.
constexpr uint16_t HalfFromFloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);   // not a number
  if (magnitude >= 0x47800000) return static_cast<uint16_t>(sign | 0x7C00);  // 65536 and more
  uint32_t kept = 0, lost = 0, unit = 0;
  if (magnitude < 0x38800000) {  // below 2^-14 the last place stays at 2^-24
    const uint32_t shift = 126 - (magnitude >> 23);
    if (shift > 24) return sign;
    const uint32_t mantissa = (magnitude & 0x7FFFFF) | 0x800000;
    kept = mantissa >> shift;
    unit = uint32_t{1} << shift;
    lost = mantissa & (unit - 1);
  } else {
    kept = (magnitude - 0x38000000) >> 13;
    unit = uint32_t{1} << 13;
    lost = magnitude & (unit - 1);
  }
  const bool up = lost > unit / 2 || (lost == unit / 2 && (kept & 1) == 1);
  return static_cast<uint16_t>(sign | (kept + (up ? 1 : 0)));  // a carry is the next exponent, rightly
}

constexpr float FloatFromHalf(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1F, mantissa = half & 0x3FF;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t wide = exponent == 0x1F ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

}  // namespace imgmill
