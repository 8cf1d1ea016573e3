// Numbers as files store them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imgmill {

/// @param bytes  of the number, 0 to 8
inline uint64_t StoredNumber(const uint8_t* at, size_t bytes, bool big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | at[big_endian ? i : bytes - 1 - i];
  return value;
}

inline uint64_t BigEndian(const uint8_t* at, size_t bytes) {
  return StoredNumber(at, bytes, true);
}

inline uint64_t LittleEndian(const uint8_t* at, size_t bytes) {
  return StoredNumber(at, bytes, false);
}

}  // namespace imgmill
