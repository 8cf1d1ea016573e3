// Which stored number is white: libvips hands out the samples of some formats as they are stored, or moved up
// to the top of their type, and neither makes white 255 or 65535.
#pragma once

#include <cstdint>

#include "vips_session.h"

namespace imgmill {

/// How the samples of an opened image relate to its sample type's own range.
struct SampleRange {
  uint32_t white = 0;  ///< the stored number that means full light; 0: the type's largest, nothing to do
  int shift = 0;       ///< bits by which libvips has moved the stored numbers up
};

/// Of a PNM file by its maxval; of HEIF, AVIF and JPEG 2000 by the bits of a sample.
SampleRange RangeOf(VipsImage* image);

/// Tells RangeOf the bits of a sample of a JPEG 2000 image, which libvips does not.
void NoteSampleBits(VipsImage* image, int bits);

/// `image` with white at the largest number of its type: round(v * largest / white), exactly, and nothing
/// above white. Integers of 8 and 16 bits only. Null: libvips failed. Call under VipsShared or VipsAlone.
ImageRef ToFullRange(VipsImage* image, const SampleRange& range);

}  // namespace imgmill
