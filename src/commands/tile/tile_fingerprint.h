// By which options tiles are known in the catalog.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "commands/filter/filter_rule.h"
#include "imgmill/commands/tile.h"

namespace imgmill {

/// @param lenient  files that end early are read as far as they go
std::string TileFingerprint(const TileOptions& options, bool lenient);

/// Whether tiles of such a fingerprint are cut in pairs. They and those of single images do not know of each
/// other.
bool IsTileOfPairs(std::string_view fingerprint);

/// Of options that were checked: what ranks tiles, and which rules they must pass.
Signal RankingSignal(const TileOptions& options);
std::vector<FilterRule> CheckedTileRules(const TileOptions& options);

}  // namespace imgmill
