// Rows of BMP, TGA, QOI, ICO, DDS and SGI, decoded whole by FFmpeg.
#pragma once

#include <memory>
#include <string>

#include "imgmill/image/reader.h"
#include "still_header.h"

namespace imgmill {

/// Whether this is read here: one of these, or an animation in JPEG XL.
bool IsStill(const ImageHeader& header);

/// The header as every reader gives it; kUnsupported with the reason where it is a kind that is not read.
Result<ImageHeader> HeaderOfStill(const StillHeader& still, int64_t file_bytes);

/// Decodes the image. Errors: those of ReadStillData and DecodeStill. @throws OutOfMemory
Result<std::unique_ptr<RowReader>> OpenStillRows(const std::string& path, const ImageHeader& header,
                                                 bool allow_truncated);

/// Bytes that are held while it is decoded: as stored in a buffer of the pool, decoded by FFmpeg.
Footprint StillFootprint(const ImageHeader& header, bool allow_truncated);

}  // namespace imgmill
