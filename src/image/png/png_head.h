// A PNG file up to its pixels: what kind of image it is, and what is known about it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "image/vips_session.h"
#include "imgmill/base/result.h"
#include "imgmill/image/image.h"

namespace imgmill {

/// Signature, header, and the chunks that libvips makes of the metadata of `described`: profile, EXIF, XMP,
/// resolution, texts. Call under a share.
/// @param layout     8 or 16 bits, 1 to 4 bands
/// @param described  of one pixel, as OnePixel makes it
Result<std::vector<uint8_t>> PngHead(const Layout& layout, VipsImage* described);

/// An image of one pixel of that kind, to which metadata can be attached. Null: libvips failed.
ImageRef OnePixel(const Layout& layout);

/// What the first chunk of that name holds, of those in a head; empty without one.
std::vector<uint8_t> PngChunk(const std::vector<uint8_t>& head, std::string_view name);

/// The last chunk.
std::vector<uint8_t> PngEnd();

}  // namespace imgmill
