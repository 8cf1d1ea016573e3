// A picture made smaller by a whole number, of whole pixels only: as partners for super-resolution are made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "imgmill/image/reader.h"

namespace imgmill {

/// Pixels of a side that is cropped to a multiple of `divisor` and then divided by it. At least 1: a shorter
/// side is taken whole.
int64_t ReducedSide(int64_t side, int divisor);

/// As OpenResizedRows, of the picture without its last columns and rows, as many as are too many for a
/// multiple of `divisor`: pixel (x, y) shows just the square of source pixels from (x, y) times `divisor` on.
/// @param divisor  1 or more
Result<std::unique_ptr<RowReader>> OpenReducedRows(const std::string& path, const ImageHeader& header,
                                                   const ReadOptions& options, int divisor,
                                                   const std::string& kernel);

}  // namespace imgmill
