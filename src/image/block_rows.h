// How many rows of a TIFF or JPEG 2000 file are decoded at once: libvips does not tell, and memory depends on
// it.
#pragma once

#include <cstdint>

#include "open_file.h"

namespace imgmill {

/// Rows of a strip or tile of the first image of a TIFF, 1 to `height`; `height` when it cannot be told.
int64_t TiffBlockRows(const InputFile& file, int64_t height);

/// Rows of a tile of a JPEG 2000 image, likewise.
int64_t Jpeg2000BlockRows(const InputFile& file, int64_t height);

}  // namespace imgmill
