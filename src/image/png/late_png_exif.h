// EXIF behind the pixels of a PNG, where ImageMagick writes it: libvips' reader stops before.
#pragma once

#include <cstdint>
#include <vector>

#include "image/open_file.h"
#include "image/vips_session.h"

namespace imgmill {

/// Gives an opened PNG that has no EXIF yet the block and the orientation that are stored behind its pixels,
/// in a chunk of their own or in a text.
void TakeLateExif(VipsImage* png, const InputFile& file);

/// The chunks behind the pixels that may hold EXIF, as they are stored: the first eXIf and the first text
/// that is named so. Empty if there are none, or the chunks do not add up.
std::vector<uint8_t> LatePngExifChunks(const InputFile& file);

}  // namespace imgmill
