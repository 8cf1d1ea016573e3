// Tiles of samples: pieces of them, and their way through a stream that takes planes.
#pragma once

#include <span>

#include "imgmill/image/image.h"
#include "imgmill/infer/model_runtime.h"

namespace imgmill {

Layout LayoutOf(const SampleForm& form, int64_t height, int64_t width);
/// Of 8 or 16 bits.
SampleForm FormOf(const Layout& layout);

/// A pixel among rows.
struct PixelPlace {
  size_t stride = 0;  ///< bytes from one row to the next
  int64_t x = 0, y = 0;
};

/// Copies a rectangle of pixels.
void CopyPixels(const std::byte* from, const PixelPlace& from_place, std::byte* to,
                const PixelPlace& to_place, int64_t height, int64_t width, size_t pixel_bytes);

/// Enlarges images of samples, one after the other, through planes of the host pool: colours, then alpha.
/// @throws OutOfMemory
Status RunAsPlanes(ModelStream& stream, int scale, std::span<const SampleImage> images,
                   const SampleForm& form, int height, int width);

}  // namespace imgmill
