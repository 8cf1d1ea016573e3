// One of the images that tiles are cut from: its band of rows, its encoder and the names of its tiles.
#pragma once

#include <memory>
#include <string>

#include "imgmill/engine/output_set.h"
#include "imgmill/image/encoder.h"
#include "tile_band.h"
#include "tile_names.h"

namespace imgmill {

class TileSide {
 public:
  /// @param source  the image's file, for its colour profile
  /// @param rows    of the image, and `shown` what tiles show of them
  /// @param scale   of places, which are counted in pixels of the high resolution, to this image's pixels
  static Result<std::unique_ptr<TileSide>> Open(const std::string& source, const ImageHeader& header,
                                                const Layout& rows, const PixelSize& shown,
                                                const WriteOptions& writing, int64_t size, int scale,
                                                std::string prefix);

  TileBand& band() { return band_; }
  /// Whether all rows of the tiles at `y` were seen.
  bool Has(int64_t y) const { return band_.seen() >= RowsFor(y); }
  /// Rows of this image that must have been seen for the tiles at `y`.
  int64_t RowsFor(int64_t y) const;
  /// Rows of a tile, as TileBand::Tile.
  std::span<const uint8_t* const> Rows(const TilePlace& place) {
    return band_.Tile(place.x / scale_, place.y / scale_);
  }
  /// Encodes a tile into `set`.
  Status Write(const TilePlace& place, OutputSet& set);
  std::string NameOf(const TilePlace& place) const { return TileName(prefix_, place, extension_); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  TileSide(const Layout& rows, const PixelSize& shown, int64_t size, int scale, std::string prefix);

  PixelSize shown_;
  int64_t size_;
  int scale_;
  std::string prefix_;
  std::string extension_;
  TileBand band_;
  std::unique_ptr<ImageEncoder> encoder_;
  std::vector<std::string> notes_;
};

}  // namespace imgmill
