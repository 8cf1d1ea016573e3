// Each pixel waits for the one to the left, so a vector is the bytes of one pixel.
#include "png_unfilter.h"

#include <cstring>

#include "png_row_filters.h"

namespace imgmill {
namespace {

typedef uint8_t Bytes __attribute__((vector_size(8)));
typedef int16_t Words __attribute__((vector_size(16)));

inline Bytes Load(const uint8_t* from) {
  Bytes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}
inline Words Wide(const Bytes& bytes) {
  return __builtin_convertvector(bytes, Words);
}
inline Words Size(const Words& words) {
  return words > 0 ? words : -words;
}

/// row[i] = filtered[i] + predicted(left, above, corner), a pixel at a time; what is written behind a pixel
/// is overwritten by the next.
template <size_t kPixel, typename Predict>
inline void PixelByPixel(const uint8_t* filtered, const uint8_t* above, size_t bytes, uint8_t* row,
                         const Predict& predict) {
  Words left{}, corner{};
  for (size_t i = 0; i < bytes; i += kPixel) {
    const Words over = Wide(Load(above + i));
    left = (Wide(Load(filtered + i)) + predict(left, over, corner)) & 0xFF;
    corner = over;
    const Bytes made = __builtin_convertvector(left, Bytes);
    std::memcpy(row + i, &made, sizeof made);
  }
}

template <size_t kPixel>
void Unfilter(PngFilter filter, const uint8_t* filtered, const uint8_t* above, size_t bytes, uint8_t* row) {
  switch (filter) {
    case PngFilter::kNone:
      std::memcpy(row, filtered, bytes);
      return;
    case PngFilter::kUp:
      for (size_t i = 0; i < bytes; ++i) row[i] = static_cast<uint8_t>(filtered[i] + above[i]);
      return;
    case PngFilter::kSub: {
      Bytes left{};
      for (size_t i = 0; i < bytes; i += kPixel) {
        left += Load(filtered + i);
        std::memcpy(row + i, &left, sizeof left);
      }
      return;
    }
    case PngFilter::kAverage:
      return PixelByPixel<kPixel>(
          filtered, above, bytes, row,
          [](const Words& left, const Words& over, const Words&) { return (left + over) >> 1; });
    case PngFilter::kPaeth:
      return PixelByPixel<kPixel>(
          filtered, above, bytes, row, [](const Words& left, const Words& over, const Words& corner) {
            const Words from_left = over - corner, from_over = left - corner;
            const Words a = Size(from_left), b = Size(from_over), c = Size(from_left + from_over);
            const Words other = b <= c ? over : corner;
            return ((a <= b) & (a <= c)) ? left : other;
          });
  }
}

}  // namespace

bool UnfilterPngRow(uint8_t filter, const uint8_t* filtered, const uint8_t* above, size_t bytes,
                    size_t pixel_bytes, uint8_t* row) {
  if (filter >= kPngFilters) return false;
  const auto kind = static_cast<PngFilter>(filter);
  switch (pixel_bytes) {
    case 1:
      Unfilter<1>(kind, filtered, above, bytes, row);
      break;
    case 2:
      Unfilter<2>(kind, filtered, above, bytes, row);
      break;
    case 3:
      Unfilter<3>(kind, filtered, above, bytes, row);
      break;
    case 4:
      Unfilter<4>(kind, filtered, above, bytes, row);
      break;
    case 6:
      Unfilter<6>(kind, filtered, above, bytes, row);
      break;
    case 8:
      Unfilter<8>(kind, filtered, above, bytes, row);
      break;
    default:
      return false;
  }
  return true;
}

}  // namespace imgmill
