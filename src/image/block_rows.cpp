// RowsPerStrip or TileLength (TIFF 6.0, sections 2 and 15; BigTIFF), straight from the file.
#include "block_rows.h"

#include <algorithm>

#include "image/tiff/tiff_directory.h"

namespace imgmill {
TiffBlocks ReadTiffBlocks(const TiffFacts& facts, int64_t height) {
  const auto limit = static_cast<uint64_t>(std::max<int64_t>(1, height));
  const uint64_t rows = TiffRowsAtOnce(facts);
  if (rows == 0) return {height};
  // Above this libvips asks libtiff for single rows, but not of planes nor of YCbCr.
  constexpr uint64_t kWholeStripRows = 128;
  const bool by_rows =
      !facts.tiled && rows > kWholeStripRows && !facts.separate && facts.photometric != kTiffYCbCr;
  return {static_cast<int64_t>(std::min(rows, limit)), by_rows};
}

}  // namespace imgmill
