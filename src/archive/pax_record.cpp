// The length counts its own digits, the blank and the line's end.
#include "archive/pax_record.h"

#include <charconv>

namespace imgmill::tar {

std::optional<PaxRecord> TakePaxRecord(std::string_view& text) {
  size_t length = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), length);
  const auto digits = static_cast<size_t>(end - text.data());
  if (wrong != std::errc() || length < digits + 2 || length > text.size()) return std::nullopt;
  if (text[digits] != ' ' || text[length - 1] != '\n') return std::nullopt;
  const std::string_view record = text.substr(digits + 1, length - digits - 2);
  const size_t equals = record.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  text.remove_prefix(length);
  return PaxRecord{record.substr(0, equals), record.substr(equals + 1)};
}

}  // namespace imgmill::tar
