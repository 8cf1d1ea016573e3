// The boxes that JPEG 2000, HEIF and JPEG XL files are made of (ISO 14496-12, 4.2; ISO 15444-1, annex I).
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "open_file.h"
#include "stored_number.h"

namespace imgmill {

struct FileBox {
  char name[4] = {};
  uint64_t at = 0;   ///< of its content
  uint64_t end = 0;  ///< behind it, as the box claims

  bool Is(const char* text) const { return std::memcmp(name, text, sizeof name) == 0; }
};

/// The box at `at` within what ends at `end`, beyond which it may claim to go; one without a length goes
/// there. Nothing where there is none.
inline std::optional<FileBox> ReadFileBox(const InputFile& file, uint64_t at, uint64_t end) {
  unsigned char head[16] = {};
  if (at > end || end - at < 8 || !file.ReadExactly(at, head, 8)) return std::nullopt;
  uint64_t bytes = BigEndian(head, 4);
  uint64_t head_bytes = 8;
  if (bytes == 1) {
    if (!file.ReadExactly(at, head, sizeof head)) return std::nullopt;
    bytes = BigEndian(head + 8, 8);
    head_bytes = 16;
  }
  if (bytes == 0) bytes = end - at;
  constexpr uint64_t kMost = uint64_t{1} << 62;
  if (bytes < head_bytes || bytes > kMost) return std::nullopt;
  FileBox box;
  std::memcpy(box.name, head + 4, sizeof box.name);
  box.at = at + head_bytes;
  box.end = at + bytes;
  return box;
}

}  // namespace imgmill
