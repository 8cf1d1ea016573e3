// TIFFs that libvips 8.14 refuses or gets wrong, read by libtiff and handed to libvips as an image: floating
// point of 16 and 64 bits, whole numbers of 3 to 15 bits (but 4 and 8), channels in planes of tiles, grey and
// what belongs to it in planes of strips, and floating point multiplied by its alpha (which it divides as if
// alpha went up to 255).
#pragma once

#include "image/open_file.h"
#include "image/vips_session.h"
#include "tiff_facts.h"

namespace imgmill {

/// Whether LoadTiffSamples is for this one.
bool IsForTiffSamples(const TiffFacts& facts);

/// The image, as libvips' own loaders would give it: samples of 8, 16 or 32 bits (float), metadata attached,
/// pixels to come in the order of rows. With `lenient`, blocks that cannot be read are black. Null: libvips'
/// error buffer says why. Call under VipsShared or VipsAlone.
ImageRef LoadTiffSamples(const InputFile& file, const TiffFacts& facts, bool lenient);

}  // namespace imgmill
