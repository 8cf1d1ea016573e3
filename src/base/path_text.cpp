// The reversible text form of a path: UTF-8 where it is, \xHH where it is not.
#include "imgmill/base/path_text.h"

#include <cstdint>

#include "base/utf8.h"

namespace imgmill {
namespace {

constexpr char kHex[] = "0123456789abcdef";

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
    const size_t n = Utf8Length(bytes);
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
