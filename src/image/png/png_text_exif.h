// EXIF in a text chunk of a PNG: how ImageMagick and older ExifTool store it, from before PNG had a chunk for
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "image/vips_session.h"

namespace imgmill {

/// Gives an opened PNG whose EXIF lies in a text chunk ("Raw profile type exif" or "APP1": a name, a length
/// and hexadecimal digits) the EXIF block and orientation that it would have from an eXIf chunk, which wins
/// where there is one.
void TakeExifFromText(VipsImage* png);

/// The block of bytes in such a text; empty if it is none.
std::vector<uint8_t> BytesOfRawProfile(const char* text);

}  // namespace imgmill
