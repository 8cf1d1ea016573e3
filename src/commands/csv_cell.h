// Text in a table of comma-separated values (RFC 4180).
#pragma once

#include <string>

namespace imgmill {

/// In quotes, those within it doubled.
inline std::string CsvQuoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// In quotes only where it needs them.
inline std::string CsvCell(const std::string& text) {
  return text.find_first_of(",\"\r\n") == std::string::npos ? text : CsvQuoted(text);
}

}  // namespace imgmill
