// A tile's line in tiles.jsonl: which image it was cut from, and where.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "earlier_outputs.h"
#include "tile_names.h"

namespace imgmill {

inline constexpr ManifestKind kTileManifest = {"tiles", "tile", "lq_tile", 2};

struct TileRecord {
  std::string tile;  ///< path below the output folder
  std::string source;
  TilePlace place;
  int64_t size = 0;      ///< pixels each way
  int scale = 1;         ///< of a pair; 1 without
  std::string low_tile;  ///< of a pair, else empty
  std::string low_source;

  nlohmann::ordered_json Line() const;
};

}  // namespace imgmill
