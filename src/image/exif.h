// The one fact of EXIF that decoding needs: which way up the image is.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imgmill {

/// Orientation (tag 0x0112 of IFD0) out of a TIFF structure as EXIF embeds it, 1 to 8; 1 where there is none
/// or it makes no sense. Reads nothing outside the `bytes` given.
int ExifOrientation(const uint8_t* tiff, size_t bytes);

}  // namespace imgmill
