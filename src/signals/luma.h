// Brightness of 8-bit sRGB pixels as Pillow's convert("L") rounds it, the one luma of all signals.
#pragma once

#include <cstdint>

namespace imgmill {

/// ITU-R BT.601 weights 0.299, 0.587, 0.114 in 16 bits, rounded. They sum up to 2^16, so grey stays as it is.
inline uint8_t Luma(unsigned red, unsigned green, unsigned blue) {
  return static_cast<uint8_t>((red * 19595u + green * 38470u + blue * 7471u + 0x8000u) >> 16);
}

}  // namespace imgmill
