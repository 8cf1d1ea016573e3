// Finds the orientation tag in an EXIF block (TIFF 6.0, section 2; EXIF 2.3, section 4.6.4).
#include "exif.h"

#include <cstring>

namespace imgmill {

int ExifOrientation(const uint8_t* tiff, size_t bytes) {
  if (bytes < 8) return 1;
  const bool big = std::memcmp(tiff, "MM\0*", 4) == 0;
  if (!big && std::memcmp(tiff, "II*\0", 4) != 0) return 1;
  const auto u16 = [&](size_t at) {
    return big ? static_cast<uint32_t>(tiff[at] << 8 | tiff[at + 1])
               : static_cast<uint32_t>(tiff[at + 1] << 8 | tiff[at]);
  };
  const auto u32 = [&](size_t at) { return big ? u16(at) << 16 | u16(at + 2) : u16(at + 2) << 16 | u16(at); };
  const size_t directory = u32(4);
  if (directory > bytes || bytes - directory < 2) return 1;
  const size_t entries = u16(directory);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > bytes) return 1;
    if (u16(entry) != 0x0112) continue;
    // SHORT by the standard; some writers use LONG.
    const uint32_t value = u16(entry + 2) == 4 ? u32(entry + 8) : u16(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace imgmill
