// The metadata in the boxes of a JPEG XL file, of which libvips 8.14 hands out none. A block may be in a box
// of its own, or in one that Brotli has made smaller ("brob", ISO 18181-2, 9.10).
#pragma once

#include <cstdint>
#include <vector>

#include "open_file.h"

namespace imgmill {

/// The TIFF structure of the EXIF block; empty where there is none.
std::vector<uint8_t> ExifOfJxl(const InputFile& file);
/// Empty where there is none.
std::vector<uint8_t> XmpOfJxl(const InputFile& file);

}  // namespace imgmill
