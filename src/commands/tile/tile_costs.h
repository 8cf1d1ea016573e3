// What cutting tiles holds in memory, and what more threads would.
#pragma once

#include "imgmill/commands/tile.h"
#include "imgmill/engine/help.h"
#include "imgmill/engine/operation.h"
#include "tile_pairs.h"

namespace imgmill {

/// What the tiles of one image of a group hold, beside its reader.
/// @param size  of a tile, in pixels of that image
Footprint TileSideCost(const TileOptions& options, const Layout& image, int64_t size);

/// What threads that write tiles hold: twice the rows in all bands, so that reading goes on meanwhile, and an
/// encoder each.
HelpOffer TileHelp(const TileOptions& options, const Item& item, const ItemPlan& plan,
                   const GroupShape& shape);

}  // namespace imgmill
