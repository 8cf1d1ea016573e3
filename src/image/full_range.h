// White is white: what a number means when the largest one is not that of its type.
#pragma once

#include <cstdint>

namespace imgmill {

/// `number` of 0 to `white` on the scale of 0 to `full`, rounded to the nearest.
constexpr uint16_t OnFullRange(uint64_t number, uint32_t white, uint32_t full) {
  return static_cast<uint16_t>((2 * number * full + white) / (2 * uint64_t{white}));
}

}  // namespace imgmill
