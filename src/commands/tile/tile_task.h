// The work on one image: rows in, tiles of one or two images out, in step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/catalog/catalog.h"
#include "imgmill/engine/help.h"
#include "imgmill/engine/operation.h"
#include "imgmill/engine/output_set.h"
#include "imgmill/signals/signal_set.h"
#include "read_part.h"
#include "tile_rules.h"
#include "tile_side.h"
#include "tile_signals.h"

namespace imgmill {

/// What a finished or recalled image's tiles were cut with.
struct TilePayload final : Payload {
  struct Low {
    std::string path;  ///< of the low-resolution image
    int scale = 1;
  };
  std::vector<Low> lows;
  std::vector<std::string> endings;  ///< of side-cars, behind the image's stem
  EarlierChoice earlier;
  std::vector<std::string> edited;     ///< copies of side-cars that somebody has changed, and that stay so
  std::optional<TileSignals> signals;  ///< of each tile, where they were chosen by any
  ReadPart part;
};

/// A partner that is read beside the image.
struct LowSide {
  std::unique_ptr<TileSide> side;
  std::unique_ptr<RowReader> rows;
  std::string path;
  int scale = 1;
  ImageHeader header;
};

/// Of a side-car that is copied beside each tile: one such is in memory as a whole.
inline constexpr int64_t kLargestSidecar = int64_t{16} << 20;

struct TileTaskParts {
  SetPrefixes prefixes;
  std::vector<int64_t> xs, ys;  ///< where tiles begin, ascending; no ys: no tiles
  int best = 0;                 ///< how many to keep; 0: all
  Signal by = Signal::kSharpness;
  std::vector<FilterRule> rules;  ///< that each tile must pass
  SignalSet signals;              ///< of rules and choice
  Catalog* catalog = nullptr;     ///< keeps their values, under this name
  std::string signals_fact;
  std::string part_fact;           ///< likewise of a ReadPart that is not whole
  std::optional<uint64_t> random;  ///< chooses in place of a signal: a seed of this image's own
  int64_t min_distance = 0;        ///< 0: any
  bool prune = false;              ///< remove the files of an earlier choice
  ReadOptions reading;             ///< of the image, where it is read a second time
  std::unique_ptr<TileSide> high;
  std::vector<LowSide> lows;
  Help help;  ///< that writes tiles
};

/// Beside a tile, the name of a side-car that is called so behind its image's stem: of ".txt"
/// "photo_0_0.txt", of
/// ".jpg.txt" "photo_0_0.png.txt".
std::string SidecarOfTile(const std::string& image, std::string_view ending, const std::string& tile);

std::unique_ptr<ItemTask> MakeTileTask(OutputFolder& folder, const Item& item, TileTaskParts parts);

}  // namespace imgmill
