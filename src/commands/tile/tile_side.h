// One of the images that tiles are cut from: its band of rows, how they are encoded and the names of its
// tiles.
#pragma once

#include <memory>
#include <string>

#include "imgmill/image/encoder.h"
#include "tile_band.h"
#include "tile_names.h"

namespace imgmill {

/// How the tiles of a side are cut and stored.
struct TileCut {
  WriteOptions writing;
  bool metadata = false;  ///< each tile gets the source's EXIF and XMP beside its profile
  int64_t size = 0;       ///< pixels each way
  int64_t spare = 0;      ///< rows that the band keeps beside those of a tile
  int scale = 1;          ///< of places, which are counted in pixels of the high resolution, to this image's
};

/// What a thread needs to encode tiles of a side.
struct TileTools {
  TileRows rows;
  std::unique_ptr<ImageEncoder> encoder;
};

class TileSide {
 public:
  /// @param source  the image's file, for its colour profile and metadata
  /// @param rows    of the image, and `shown` what tiles show of them
  static Result<std::unique_ptr<TileSide>> Open(const std::string& source, const ImageHeader& header,
                                                const Layout& rows, const PixelSize& shown,
                                                const TileCut& cut, std::string prefix);

  TileBand& band() { return band_; }
  const TileBand& band() const { return band_; }
  int scale() const { return cut_.scale; }
  /// Whether all rows of the tiles at `y` were seen.
  bool Has(int64_t y) const { return band_.seen() >= RowsFor(y); }
  /// Rows of this image that must have been seen for the tiles at `y`.
  int64_t RowsFor(int64_t y) const;
  /// Rows of a tile, as TileBand::Tile.
  std::span<const uint8_t* const> Rows(const TilePlace& place, TileRows& rows) const {
    return band_.Tile(place.x / cut_.scale, place.y / cut_.scale, rows);
  }
  /// Those of the thread that the image is read on.
  TileTools& own_tools() { return own_tools_; }
  /// For another thread. @throws OutOfMemory
  Result<TileTools> MakeTools() const;
  /// A tile's file, valid until the next call with the same tools. On any thread, as TileBand::Tile.
  Result<std::span<const uint8_t>> Encode(const TilePlace& place, TileTools& tools) const {
    return tools.encoder->Encode(Rows(place, tools.rows));
  }
  std::string NameOf(const TilePlace& place) const { return TileName(prefix_, place, extension_); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  TileSide(const Layout& rows, const PixelSize& shown, const TileCut& cut, std::string prefix);

  PixelSize shown_;
  TileCut cut_;
  std::string prefix_;
  std::string extension_;
  TileBand band_;
  CarriedMetadata carried_;
  TileTools own_tools_;
  std::vector<std::string> notes_;
};

}  // namespace imgmill
