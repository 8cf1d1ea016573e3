// Chunks of a PNG file: a length, a name, bytes, and a checksum.
#pragma once

#include <libdeflate.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace imgmill {

inline constexpr size_t kPngChunkHead = 8;
inline constexpr size_t kPngChunkTail = 4;

inline void PutBigEndian32(uint32_t value, uint8_t* to) {
  const uint32_t turned = __builtin_bswap32(value);
  std::memcpy(to, &turned, sizeof turned);
}

/// Puts head and checksum around the `bytes` that lie at `chunk` + kPngChunkHead. @return bytes of the whole
inline size_t ClosePngChunk(uint8_t* chunk, std::string_view name, size_t bytes) {
  PutBigEndian32(static_cast<uint32_t>(bytes), chunk);
  std::memcpy(chunk + 4, name.data(), 4);
  PutBigEndian32(libdeflate_crc32(0, chunk + 4, 4 + bytes), chunk + kPngChunkHead + bytes);
  return kPngChunkHead + bytes + kPngChunkTail;
}

}  // namespace imgmill
