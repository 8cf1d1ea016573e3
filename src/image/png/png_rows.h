// Rows of a PNG straight from the file, for the usual kinds; the others, and all that is wrong with a file,
// are libvips' and libpng's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "imgmill/image/reader.h"

namespace imgmill {

/// Opens the rows by the slower way that knows every kind.
using OpenSlower = std::function<Result<std::unique_ptr<RowReader>>()>;

/// Rows as stored, 8 or 16 bits, grey or RGB, with alpha or without. Where something in the file is not as it
/// should be, they go on with those of `slower`, whose errors and notes they give. Null: not of a usual kind.
/// @throws OutOfMemory
Result<std::unique_ptr<RowReader>> OpenPngRows(const std::string& path, const ImageHeader& header,
                                               OpenSlower slower);

/// Bytes of the pool that are held for rows of `row_bytes`.
size_t PngRowsBytes(size_t row_bytes);

}  // namespace imgmill
