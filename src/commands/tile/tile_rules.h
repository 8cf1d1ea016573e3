// Rules that single tiles must satisfy: those of filter, as far as one tile alone can say.
#pragma once

#include <string>
#include <vector>

#include "commands/filter/filter_rule.h"
#include "imgmill/commands/tile.h"

namespace imgmill {

/// The rules of the options, --keep before --drop. kUsage for one that no tile alone can answer: a
/// percentile, or a signal that is not of pixels.
Result<std::vector<FilterRule>> TileRules(const TileOptions& options);

/// The signals that they are about.
SignalSet SignalsOf(const std::vector<FilterRule>& rules);

/// Whether any of them drops a tile of these values.
bool AnyDrops(const std::vector<FilterRule>& rules, const SignalValues& values);

}  // namespace imgmill
