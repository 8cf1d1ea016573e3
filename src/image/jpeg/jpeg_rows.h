// Rows of a JPEG file straight from libjpeg-turbo.
#pragma once

#include <memory>
#include <string>

#include "imgmill/image/reader.h"
#include "jpeg_decoder.h"

namespace imgmill {

/// The largest of 8, 4, 2 and 1 by which the shorter side may be divided and stay `shrink_to_side` long.
int ChooseShrink(int64_t width, int64_t height, int shrink_to_side);

/// Rows as stored (not turned upright), 1, 3 or 4 bands (CMYK, 255 is full ink) of 8 bits, in the
/// file's own colours: no profile is applied.
Result<std::unique_ptr<RowReader>> OpenJpegRows(std::unique_ptr<JpegDecoder> decoder, J_COLOR_SPACE space,
                                                int shrink, bool lenient);

}  // namespace imgmill
