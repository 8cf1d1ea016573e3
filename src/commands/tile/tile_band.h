// The last rows of an image that is read from top to bottom, as many as a tile is high: what tiles are cut
// out of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/image/image.h"
#include "imgmill/image/reader.h"
#include "tile_pairs.h"

namespace imgmill {

/// A ring of rows. Whatever the image's height, it holds `size` of them.
class TileBand {
 public:
  /// @param rows   of the image, as they come
  /// @param shown  of these, the columns and rows that tiles show: the first ones
  /// @param size   side of the tiles, pixels. @throws OutOfMemory
  TileBand(const Layout& rows, const PixelSize& shown, int64_t size);
  /// All of the image is shown.
  TileBand(const Layout& image, int64_t size) : TileBand(image, {image.width, image.height}, size) {}

  /// The next row from above.
  void Put(const uint8_t* row);
  /// Takes rows from `reader` until `rows` of the image were seen.
  Status ReadUntil(RowReader& reader, int64_t rows);
  /// Rows of the image seen so far.
  int64_t seen() const { return seen_; }
  /// The image comes again, from its first row.
  void Restart() { seen_ = 0; }

  /// The rows of the tile with its upper left corner at (x, y), of which all that lie in the image must have
  /// been seen, and none have gone. What lies outside is filled with the nearest pixel. Valid until the next
  /// call.
  std::span<const uint8_t* const> Tile(int64_t x, int64_t y);
  /// Layout of each tile.
  Layout tile_layout() const;

  /// Bytes from the pool. @param padded  whether a tile may lie partly outside
  static size_t PooledBytes(const Layout& image, int64_t size, bool padded);

 private:
  uint8_t* Row(int64_t y) { return ring_.row(y % ring_.layout().height); }
  std::span<const uint8_t* const> Padded(int64_t x, int64_t y);

  Layout rows_;
  Layout image_;  ///< what is shown of them
  int64_t size_;
  Image ring_;
  Image padded_;  // made when first needed
  int64_t seen_ = 0;
  std::vector<const uint8_t*> pointers_;
};

}  // namespace imgmill
