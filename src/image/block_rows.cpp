// RowsPerStrip or TileLength (TIFF 6.0, sections 2 and 15; BigTIFF) and YTsiz (JPEG 2000, ISO 15444-1,
// A.5.1), straight from the file.
#include "block_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "stored_number.h"
#include "tiff_directory.h"

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

Jpeg2000Layout ReadJpeg2000Layout(const InputFile& file, int64_t height) {
  // The codestream begins within the first boxes, unless they hold a large profile.
  std::vector<unsigned char> head(size_t{64} << 10);
  const ptrdiff_t got = file.ReadAt(0, head.data(), head.size());
  const unsigned char start[] = {0xFF, 0x4F, 0xFF, 0x51};  // SOC, then SIZ
  Jpeg2000Layout layout{height, true};
  if (got <= 0) return layout;
  const auto end = head.begin() + got;
  const auto found = std::search(head.begin(), end, std::begin(start), std::end(start));
  // SIZ: length, capabilities (2 bytes each), Xsiz, Ysiz, XOsiz, YOsiz, XTsiz, YTsiz, XTOsiz, YTOsiz (4 bytes
  // each), the number of components (2), and for each its depth, XRsiz and YRsiz (1 each).
  constexpr ptrdiff_t kComponents = 4 + 4 + 32;
  if (end - found < kComponents + 2) return layout;
  const unsigned char* siz = &*found;
  layout.block_rows = static_cast<int64_t>(
      std::clamp<uint64_t>(BigEndian(siz + 4 + 4 + 20, 4), 1, static_cast<uint64_t>(height)));
  const auto components = static_cast<ptrdiff_t>(BigEndian(siz + kComponents, 2));
  for (ptrdiff_t i = 0; i < components && end - found >= kComponents + 2 + 3 * (i + 1); ++i) {
    const size_t at = static_cast<size_t>(kComponents + 2 + 3 * i);
    const uint64_t most =
        i == 0 ? 1 : 2;  // the first one is the picture itself; colour may be at half its size
    const uint64_t across = siz[at + 1];
    const uint64_t down = siz[at + 2];
    // One less than the depth, and whether the numbers are signed.
    const uint64_t depth = siz[at];
    const int bits = static_cast<int>(depth & 0x7F) + 1;
    if (i == 0) layout.bits = bits;
    if (bits != layout.bits || depth != siz[kComponents + 2]) layout.equal_bits = false;
    if (across < 1 || across > most || down < 1 || down > most) layout.usual_sampling = false;
  }
  return layout;
}

}  // namespace imgmill
