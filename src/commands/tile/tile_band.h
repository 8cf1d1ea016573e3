// The last rows of an image that is read from top to bottom, as many as a tile is high, or more: what tiles
// are cut out of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/image/image.h"
#include "imgmill/image/reader.h"
#include "tile_pairs.h"

namespace imgmill {

/// A tile's rows, where they are pieced together. One for each thread that cuts.
struct TileRows {
  std::vector<const uint8_t*> pointers;
  Image padded;  ///< made when first needed
};

/// A ring of rows. Whatever the image's height, it holds `size` of them, and `spare` more. Tiles may be taken
/// on other threads while rows are put, as long as these take the places of no row of such a tile.
class TileBand {
 public:
  /// @param rows   of the image, as they come
  /// @param shown  of these, the columns and rows that tiles show: the first ones
  /// @param size   side of the tiles, pixels
  /// @param spare  rows that are kept beside those of a tile. @throws OutOfMemory
  TileBand(const Layout& rows, const PixelSize& shown, int64_t size, int64_t spare = 0);
  /// All of the image is shown.
  TileBand(const Layout& image, int64_t size) : TileBand(image, {image.width, image.height}, size) {}

  /// The next row from above.
  void Put(const uint8_t* row);
  /// Takes rows from `reader` until `rows` of the image were seen.
  Status ReadUntil(RowReader& reader, int64_t rows);
  /// Rows of the image seen so far.
  int64_t seen() const { return seen_; }
  /// Once so many were seen, the first row that is still there.
  int64_t KeptFrom(int64_t seen) const { return seen - ring_.layout().height; }
  /// The image comes again, from its first row.
  void Restart() { seen_ = 0; }

  /// The rows of the tile with its upper left corner at (x, y), of which all that lie in the image must have
  /// been seen, and none have gone. What lies outside is filled with the nearest pixel. Valid as long as
  /// `rows`, until the next call with them.
  std::span<const uint8_t* const> Tile(int64_t x, int64_t y, TileRows& rows) const;
  /// Layout of each tile.
  Layout tile_layout() const;

  /// Bytes from the pool. @param padded  whether a tile may lie partly outside
  static size_t PooledBytes(const Layout& image, int64_t size, bool padded);
  /// Of these, those that one more TileRows holds, and those of `spare` rows.
  static size_t PaddedBytes(const Layout& image, int64_t size);
  static size_t SpareBytes(const Layout& image, int64_t size, int64_t spare);

 private:
  uint8_t* Row(int64_t y) { return ring_.row(y % ring_.layout().height); }
  const uint8_t* Row(int64_t y) const { return ring_.row(y % ring_.layout().height); }
  std::span<const uint8_t* const> Padded(int64_t x, int64_t y, TileRows& rows) const;

  Layout rows_;
  Layout image_;  ///< what is shown of them
  int64_t size_;
  Image ring_;
  int64_t seen_ = 0;
};

}  // namespace imgmill
