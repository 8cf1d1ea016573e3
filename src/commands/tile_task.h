// The work on one image: rows in, tiles of one or two images out, in step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/engine/operation.h"
#include "imgmill/engine/output_set.h"
#include "imgmill/signals/signal_set.h"
#include "tile_rules.h"
#include "tile_side.h"

namespace imgmill {

/// What a finished or recalled image's tiles were cut with.
struct TilePayload final : Payload {
  int scale = 1;
  std::string partner;  ///< path of the low-resolution image; empty without one
};

/// How many times as large one image is as the other; 0 if that is no whole number, the same both ways.
int PairScale(int64_t high_width, int64_t high_height, int64_t low_width, int64_t low_height);

struct TileTaskParts {
  SetPrefixes prefixes;
  std::vector<int64_t> xs, ys;  ///< where tiles begin, ascending; no ys: no tiles
  int best = 0;                 ///< how many to keep; 0: all
  Signal by = Signal::kSharpness;
  std::vector<FilterRule> rules;   ///< that each tile must pass
  std::optional<uint64_t> random;  ///< chooses in place of a signal: a seed of this image's own
  std::unique_ptr<TileSide> high;
  int scale = 1;
  std::unique_ptr<TileSide> low;        ///< null without a partner
  std::unique_ptr<RowReader> low_rows;  ///< likewise
};

std::unique_ptr<ItemTask> MakeTileTask(OutputFolder& folder, const Item& item, TileTaskParts parts);

}  // namespace imgmill
