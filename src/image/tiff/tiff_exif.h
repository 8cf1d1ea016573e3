// A TIFF's camera, dates and place, as the block of EXIF that other formats carry them in: libvips hands out
// none of a TIFF.
#pragma once

#include <cstdint>
#include <vector>

#include "image/open_file.h"

namespace imgmill {

/// "Exif", two zeros, and a TIFF structure with what describes the photograph: of the first directory who,
/// what and when, the EXIF directory and the GPS one. No orientation, since that is the image's own, and no
/// thumbnail. Empty where there is nothing of it; values that would make it larger than a JPEG can hold are
/// left out.
std::vector<uint8_t> ExifOfTiff(const InputFile& file);

}  // namespace imgmill
