// How many images a file holds, where libvips does not say or counts other things: a user is told which one
// is used.
#pragma once

#include <cstdint>
#include <span>

#include "open_file.h"

namespace imgmill {

/// Frames of an animated PNG, with a first image that is no part of the animation; 1 for any other.
int PngImages(const InputFile& file);

/// Frames of the image track of an AVIF or HEIF sequence; 0 where there is none.
int HeifFrames(const InputFile& file);

/// Pages of a TIFF: directories but for those that a smaller copy, a thumbnail or a mask is noted in.
int TiffPages(const InputFile& file);

/// Images that a JPEG's APP2 marker lists (Multi-Picture Format, .mpo) but for thumbnails; 1 for any other
/// marker.
int JpegImages(std::span<const uint8_t> marker);

}  // namespace imgmill
