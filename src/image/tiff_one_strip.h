// TIFF files whose only strip holds all rows uncompressed, as tifffile and older Pillow write them: libtiff
// reads a strip as a whole before its first row, so it is shown the same file with a directory that cuts the
// strip into many.
#pragma once

#include <cstdint>

#include "open_file.h"
#include "vips_session.h"

namespace imgmill {

/// Rows of the strips that CutOneStrip would show; 0 where the file is of another kind, or small enough as it
/// is.
int64_t OneStripCutRows(const InputFile& file);

/// The file with its strip cut. Null where OneStripCutRows is 0 (or out of file descriptors). Reads through a
/// descriptor of its own.
GRef<VipsSource> CutOneStrip(const InputFile& file);

}  // namespace imgmill
