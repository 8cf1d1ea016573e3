// Reading and writing byte sizes with their units.
#include "imgmill/base/byte_size.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/usage_error.h"

namespace imgmill {

Result<size_t> ParseByteSize(std::string_view text) {
  const auto wrong = [&](const char* why) {
    return UsageError("\"" + std::string(text) + "\" is not a byte size: " + why +
                      " (write 512MiB, 2G or 1.5GB)");
  };
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return wrong("it does not start with a number");
  if (!(number >= 0)) return wrong("it is negative");
  std::string unit;
  for (const char* p = end; p != text.data() + text.size(); ++p) {
    if (*p != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*p)));
  }
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    const size_t power = std::string_view("kmgt").find(unit[0]);
    if (power == std::string_view::npos) return wrong("its unit is unknown");
    const std::string rest = unit.substr(1);
    if (rest != "" && rest != "ib" && rest != "b") return wrong("its unit is unknown");
    factor = std::pow(rest == "b" ? 1000.0 : 1024.0, static_cast<double>(power + 1));
  }
  const double bytes = number * factor;
  if (bytes > 9e18) return wrong("it is too large");
  return static_cast<size_t>(bytes);
}

std::string FormatByteSize(size_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  const int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  std::string number = text;
  if (number.find('.') != std::string::npos) {
    while (number.back() == '0') number.pop_back();
    if (number.back() == '.') number.pop_back();
  }
  return number + " " + kUnits[unit];
}

}  // namespace imgmill
