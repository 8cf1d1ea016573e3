// A number as the bytes of a file made by hand.
#pragma once

#include <cstdint>
#include <string>

inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}
