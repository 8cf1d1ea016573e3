// What a tile is called, and back again: the name says where it lies in its image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imgmill {

/// Folders below the output folder, where tiles come in pairs.
inline constexpr std::string_view kHighFolder = "HQ/";
inline constexpr std::string_view kLowFolder = "LQ/";

/// Upper left corner of a tile, in the pixels of the (high-resolution) image.
struct TilePlace {
  int64_t x = 0;
  int64_t y = 0;
  bool operator==(const TilePlace&) const = default;
};

/// "photo_" and (512, 1024) -> "photo_00512_01024.png". Five digits at least, so that names sort by place.
std::string TileName(std::string_view prefix, const TilePlace& place, std::string_view extension);

/// The inverse; nothing if `name` is not made so.
std::optional<TilePlace> PlaceOf(std::string_view name, std::string_view prefix);

}  // namespace imgmill
