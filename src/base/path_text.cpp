// The reversible text form of a path: UTF-8 where it is, \xHH where it is not.
#include "imgmill/base/path_text.h"

#include <cstdint>

namespace imgmill {
namespace {

constexpr char kHex[] = "0123456789abcdef";

/// Length of the valid UTF-8 sequence at the front, 0 if there is none (RFC 3629: no overlongs, no
/// surrogates).
size_t ValidSequence(std::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  const auto continues = [&](size_t i) { return i < s.size() && (byte(i) & 0xC0) == 0x80; };
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

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string PrintablePath(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto b = static_cast<uint8_t>(bytes[0]);
    const size_t n = ValidSequence(bytes);
    if (n == 1 && b == '\\') {
      out += "\\\\";
    } else if (n == 0 || b < 0x20 || b == 0x7F) {
      out += "\\x";
      out += kHex[b >> 4];
      out += kHex[b & 15];
    } else {
      out += bytes.substr(0, n);
    }
    bytes.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

std::string PathFromPrintable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t used = 1;
    char c = text[0];
    if (c == '\\' && text.size() >= 2 && text[1] == '\\') {
      used = 2;
    } else if (c == '\\' && text.size() >= 4 && text[1] == 'x' && HexValue(text[2]) >= 0 &&
               HexValue(text[3]) >= 0) {
      c = static_cast<char>(HexValue(text[2]) * 16 + HexValue(text[3]));
      used = 4;
    }
    out += c;
    text.remove_prefix(used);
  }
  return out;
}

}  // namespace imgmill
