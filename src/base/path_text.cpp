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

void AppendEscape(uint8_t byte, std::string& out) {
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

std::string PrintablePath(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t n = Utf8Length(bytes);
    const std::string_view character = bytes.substr(0, n == 0 ? 1 : n);
    if (character == "\\") {
      out += "\\\\";
    } else if (n == 0 || IsControl(character)) {
      for (const char byte : character) AppendEscape(static_cast<uint8_t>(byte), out);
    } else {
      out += character;
    }
    bytes.remove_prefix(character.size());
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
