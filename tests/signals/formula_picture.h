// Pictures made of a formula that tests/golden/make_hash_golden.py knows too, so that a golden value needs no
// decoder.
#pragma once

#include <cstdint>
#include <string>

#include "imgmill/image/image.h"

namespace imgmill {

inline uint8_t Mix(uint64_t x) {
  auto v = static_cast<uint32_t>(x * 2654435761u);
  v ^= v >> 15;
  v *= 2246822519u;
  v ^= v >> 13;
  return static_cast<uint8_t>(v);
}

/// Whether a pixel is ink of letters of 5x7 pixels, each pixel of which is 2x2 of the picture's.
inline bool IsInk(uint64_t x, uint64_t y, uint64_t seed) {
  static constexpr uint8_t kGlyphs[8][7] = {// a row in 5 bits: E, A, R, T, S, N, H, O
                                            {31, 16, 16, 30, 16, 16, 31}, {14, 17, 17, 31, 17, 17, 17},
                                            {30, 17, 17, 30, 20, 18, 17}, {31, 4, 4, 4, 4, 4, 4},
                                            {15, 16, 16, 14, 1, 1, 30},   {17, 25, 21, 19, 17, 17, 17},
                                            {17, 17, 17, 31, 17, 17, 17}, {14, 17, 17, 17, 17, 17, 14}};
  const uint64_t row = y / 2 % 9, column = x / 2 % 6;
  if (row >= 7 || column >= 5) return false;
  return (kGlyphs[Mix(y / 18 * 1000 + x / 12 + seed * 7919) % 8][row] >> (4 - column) & 1) != 0;
}

inline Image FormulaPicture(int64_t width, int64_t height, int bands, const std::string& pattern,
                            uint64_t seed) {
  Image image(Layout{width, height, bands, Sample::kU8});
  const auto w = static_cast<uint64_t>(width);
  const auto n = static_cast<uint64_t>(bands);
  for (uint64_t y = 0; y < static_cast<uint64_t>(height); ++y) {
    uint8_t* pixel = image.row(static_cast<int64_t>(y));
    for (uint64_t x = 0; x < w; ++x) {
      for (uint64_t band = 0; band < n; ++band) {
        uint64_t value = 0;
        if (pattern == "noise") {
          value = Mix(((y * w + x) * n + band) + seed * 7919);
        } else if (pattern == "blocks") {
          value = Mix((y / 23 * 1000 + x / 31) * 3 + band + seed * 7919);
        } else if (pattern == "flat") {
          value = seed * 37;
        } else if (pattern == "diagonal") {
          value = x + y + band * 50 + seed;
        } else if (pattern == "checks") {
          value = (x / 5 + y / 5) % 2 * 200 + seed;
        } else if (pattern == "letters") {
          value = IsInk(x, y, seed) ? 25 : 225;
        } else {
          value = Mix(y * w + x + seed * 7919) % 2 * 255u;
        }
        *pixel++ = static_cast<uint8_t>(value);
      }
    }
  }
  return image;
}

}  // namespace imgmill
