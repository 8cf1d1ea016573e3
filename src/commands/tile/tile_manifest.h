// A tile's line in tiles.jsonl: which image it was cut from, and where.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands/earlier_outputs.h"
#include "tile_names.h"

namespace imgmill {

inline constexpr ManifestKind kTileManifest = {"tiles", "tile", "lq_tile", 2, "lq"};

struct TileRecord {
  std::string tile;  ///< path below the output folder
  std::string source;
  TilePlace place;
  int64_t size = 0;  ///< pixels each way
  /// Of a pair, or a group of one image and several partners.
  struct Low {
    std::string tile;
    std::string source;
    int scale = 1;
  };
  std::vector<Low> lows;
  std::vector<std::string> sidecars;  ///< beside the tile
  nlohmann::ordered_json signals;     ///< by which it was chosen; null for none
  std::string part;  ///< what could be read of its source, where some of the tile could not; else empty

  nlohmann::ordered_json Line() const;
};

}  // namespace imgmill
