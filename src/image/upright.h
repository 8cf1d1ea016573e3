// Turning rows the way a person sees the image.
#pragma once

#include <memory>

#include "imgmill/image/reader.h"

namespace imgmill {

/// `rows` with EXIF `orientation` (1 to 8) applied. 1 is `rows` itself and 2 mirrors row by row; the others
/// hold the image whole, from the first Read on: in a buffer up to `whole_image_bytes`, beyond in an unnamed
/// file in $TMPDIR.
std::unique_ptr<RowReader> Upright(std::unique_ptr<RowReader> rows, int orientation,
                                   size_t whole_image_bytes);

}  // namespace imgmill
