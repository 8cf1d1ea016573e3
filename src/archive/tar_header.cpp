// The fields of a tar header, as old and new writers fill them in.
#include "archive/tar_header.h"

#include <algorithm>
#include <limits>

namespace imgmill::tar {

std::string_view TextOf(const Header& header, Field field) {
  const std::string_view text(header.data() + field.at, field.bytes);
  return text.substr(0, text.find('\0'));
}

std::optional<uint64_t> NumberOf(const Header& header, Field field) {
  const std::string_view text(header.data() + field.at, field.bytes);
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  uint64_t value = 0;
  if (static_cast<unsigned char>(text[0]) == 0x80) {
    for (const char byte : text.substr(1)) {
      if (value > kMost >> 8) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return value;
  }
  size_t at = std::min(text.find_first_not_of(' '), text.size());
  for (; at < text.size() && text[at] >= '0' && text[at] <= '7'; ++at) {
    if (value > kMost >> 3) return std::nullopt;
    value = value << 3 | static_cast<uint64_t>(text[at] - '0');
  }
  if (text.find_first_not_of(std::string_view(" \0", 2), at) != std::string_view::npos) return std::nullopt;
  return value;
}

bool HasItsChecksum(const Header& header) {
  const std::optional<uint64_t> sum = NumberOf(header, kChecksum);
  // Old writers have summed the bytes as signed ones.
  return sum == ChecksumOf(header) || sum == SignedChecksumOf(header);
}

bool IsEmpty(const Header& header) {
  return std::all_of(header.begin(), header.end(), [](char byte) { return byte == 0; });
}

}  // namespace imgmill::tar
