// Tile names, written and read.
#include "tile_names.h"

#include <charconv>
#include <cstdio>

namespace imgmill {
namespace {

/// A number in front of `text`, which is shortened by it.
std::optional<int64_t> TakeNumber(std::string_view& text) {
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

}  // namespace

std::string TileName(std::string_view prefix, const TilePlace& place, std::string_view extension) {
  char digits[48];
  std::snprintf(digits, sizeof digits, "%05lld_%05lld", static_cast<long long>(place.x),
                static_cast<long long>(place.y));
  return std::string(prefix) + digits + std::string(extension);
}

std::optional<TilePlace> PlaceOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  const std::optional<int64_t> x = TakeNumber(name);
  if (!x || !name.starts_with('_')) return std::nullopt;
  name.remove_prefix(1);
  const std::optional<int64_t> y = TakeNumber(name);
  if (!y || !name.starts_with('.')) return std::nullopt;
  return TilePlace{*x, *y};
}

}  // namespace imgmill
