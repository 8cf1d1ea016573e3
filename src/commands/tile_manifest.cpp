// The fields in their order; paths as everywhere in JSON.
#include "tile_manifest.h"

#include "imgmill/base/path_text.h"

namespace imgmill {

nlohmann::ordered_json TileRecord::Line() const {
  nlohmann::ordered_json line;
  line["tile"] = PrintablePath(tile);
  line["source"] = PrintablePath(source);
  if (!low_tile.empty()) {
    line["lq_tile"] = PrintablePath(low_tile);
    line["lq_source"] = PrintablePath(low_source);
  }
  line["x"] = place.x;
  line["y"] = place.y;
  line["width"] = size;
  line["height"] = size;
  line["scale"] = scale;
  return line;
}

}  // namespace imgmill
