// Bands and encoders, by their own formulas.
#include "tile_costs.h"

#include <algorithm>
#include <limits>

#include "imgmill/image/encoder.h"
#include "tile_band.h"

namespace imgmill {
namespace {

/// Below so many tiles, it is not worth while that other threads make ready to help.
constexpr int64_t kTilesForHelp = 4;

bool IsPadded(const TileOptions& options) {
  return options.edge == "pad";
}

Layout TileOf(const Layout& image, int64_t size) {
  Layout tile = image;
  tile.width = tile.height = size;
  return tile;
}

void AddHelp(const TileOptions& options, const Layout& image, int64_t size, HelpOffer& help) {
  help.once.pooled += TileBand::SpareBytes(image, size, size);
  help.each = help.each + EncodeFootprint(TileOf(image, size), options.file.Writing());
  if (IsPadded(options)) help.each.pooled += TileBand::PaddedBytes(image, size);
}

}  // namespace

Footprint TileSideCost(const TileOptions& options, const Layout& image, int64_t size) {
  return EncodeFootprint(TileOf(image, size), options.file.Writing()) +
         Footprint{TileBand::PooledBytes(image, size, IsPadded(options)), 0};
}

HelpOffer TileHelp(const TileOptions& options, const Item& item, const ItemPlan& plan,
                   const GroupShape& shape) {
  HelpOffer help;
  // About: the edges make one more or less.
  const int64_t tiles = (shape.area.width / options.Step() + 1) * (shape.area.height / options.Step() + 1);
  if (tiles < kTilesForHelp) return help;
  help.most = static_cast<int>(std::min<int64_t>(tiles, std::numeric_limits<int>::max()));
  AddHelp(options, plan.input, options.size, help);
  for (size_t i = 0; i < item.partners.size(); ++i) {
    AddHelp(options, ReadLayout(item.partners[i].header, plan.reading), options.size / shape.scales[i], help);
  }
  return help;
}

}  // namespace imgmill
