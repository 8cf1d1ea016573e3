// By RFC 3629: no overlongs, no surrogates.
#include "base/utf8.h"

#include <cstdint>

namespace imgmill {

size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const uint8_t b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return continues(1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (b == 0xE0 && byte(1) < 0xA0) return 0;
    if (b == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (b == 0xF0 && byte(1) < 0x90) return 0;
    if (b == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

bool IsPlainText(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto b = static_cast<uint8_t>(bytes[0]);
    const size_t n = Utf8Length(bytes);
    if (n == 0 || b < 0x20 || b == 0x7F) return false;
    bytes.remove_prefix(n);
  }
  return true;
}

}  // namespace imgmill
