// The fields in their order; paths as everywhere in JSON.
#include "tile_manifest.h"

#include "imgmill/base/path_text.h"

namespace imgmill {

nlohmann::ordered_json TileRecord::Line() const {
  nlohmann::ordered_json line;
  line["tile"] = PrintablePath(tile);
  line["source"] = PrintablePath(source);
  if (lows.size() == 1) {
    line["lq_tile"] = PrintablePath(lows.front().tile);
    line["lq_source"] = PrintablePath(lows.front().source);
  }
  line["x"] = place.x;
  line["y"] = place.y;
  line["width"] = size;
  line["height"] = size;
  if (lows.size() <= 1) line["scale"] = lows.empty() ? 1 : lows.front().scale;
  if (lows.size() > 1) {
    for (const Low& low : lows) {
      line["lq"].push_back(
          {{"tile", PrintablePath(low.tile)}, {"source", PrintablePath(low.source)}, {"scale", low.scale}});
    }
  }
  if (!signals.is_null()) line["signals"] = signals;
  if (!part.empty()) line["part"] = part;
  for (const std::string& sidecar : sidecars) line["sidecars"].push_back(PrintablePath(sidecar));
  return line;
}

}  // namespace imgmill
