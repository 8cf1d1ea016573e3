// Reads RowsPerStrip or TileLength (TIFF 6.0, sections 2 and 15; BigTIFF) and YTsiz (JPEG 2000, ISO 15444-1,
// A.5.1) straight from the file.
#include "block_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace imgmill {
namespace {

constexpr uint64_t kRowsPerStrip = 278;
constexpr uint64_t kTileLength = 323;
constexpr uint64_t kMostEntries = 4096;

class Numbers {
 public:
  Numbers(const unsigned char* bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}
  uint64_t At(size_t offset, size_t length) const {
    uint64_t value = 0;
    for (size_t i = 0; i < length; ++i) {
      value = value << 8 | bytes_[offset + (big_endian_ ? i : length - 1 - i)];
    }
    return value;
  }

 private:
  const unsigned char* bytes_;
  bool big_endian_;
};

}  // namespace

int64_t TiffBlockRows(const InputFile& file, int64_t height) {
  unsigned char head[16] = {};
  if (file.ReadAt(0, head, sizeof head) < 8) return height;
  const Numbers first(head, head[0] == 'M');
  const bool big = first.At(2, 2) == 43;  // BigTIFF: 8-byte offsets and counts
  const size_t count_bytes = big ? 8 : 2;
  const size_t entry_bytes = big ? 20 : 12;
  const uint64_t directory = big ? first.At(8, 8) : first.At(4, 4);
  unsigned char raw_count[8] = {};
  if (directory > static_cast<uint64_t>(file.bytes()) ||
      file.ReadAt(static_cast<int64_t>(directory), raw_count, count_bytes) !=
          static_cast<ptrdiff_t>(count_bytes)) {
    return height;
  }
  const uint64_t count = std::min(kMostEntries, Numbers(raw_count, head[0] == 'M').At(0, count_bytes));
  std::vector<unsigned char> entries(static_cast<size_t>(count) * entry_bytes);
  const ptrdiff_t got =
      file.ReadAt(static_cast<int64_t>(directory + count_bytes), entries.data(), entries.size());
  if (got <= 0) return height;
  const Numbers numbers(entries.data(), head[0] == 'M');
  int64_t rows = height;
  for (size_t at = 0; at + entry_bytes <= static_cast<size_t>(got); at += entry_bytes) {
    const uint64_t tag = numbers.At(at, 2);
    if (tag != kRowsPerStrip && tag != kTileLength) continue;
    const bool is_short = numbers.At(at + 2, 2) == 3;
    const uint64_t value = numbers.At(at + (big ? 12 : 8), is_short ? 2 : 4);
    if (value > 0) rows = static_cast<int64_t>(std::min(value, static_cast<uint64_t>(height)));
    if (tag == kTileLength) break;
  }
  return std::max<int64_t>(1, rows);
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
  const Numbers siz(&*found, true);
  layout.block_rows =
      static_cast<int64_t>(std::clamp<uint64_t>(siz.At(4 + 4 + 20, 4), 1, static_cast<uint64_t>(height)));
  const auto components = static_cast<ptrdiff_t>(siz.At(kComponents, 2));
  for (ptrdiff_t i = 0; i < components && end - found >= kComponents + 2 + 3 * (i + 1); ++i) {
    const size_t at = static_cast<size_t>(kComponents + 2 + 3 * i);
    const uint64_t most =
        i == 0 ? 1 : 2;  // the first one is the picture itself; colour may be at half its size
    const uint64_t across = siz.At(at + 1, 1);
    const uint64_t down = siz.At(at + 2, 1);
    if (across < 1 || across > most || down < 1 || down > most) layout.usual_sampling = false;
  }
  return layout;
}

}  // namespace imgmill
