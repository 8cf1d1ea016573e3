// Rows of PBM, PGM, PPM, PAM and PFM, in text or not, straight from the file.
#pragma once

#include <memory>
#include <string>

#include "imgmill/image/reader.h"
#include "pnm_header.h"

namespace imgmill {

/// The header as every reader gives it.
ImageHeader HeaderOfPnm(const PnmHeader& pnm, int64_t file_bytes);

/// Errors: kTruncated, kMalformed, kReadError; what is missing of text is only seen when it is read. With
/// `lenient`, rows that are not there are black. @throws OutOfMemory
Result<std::unique_ptr<RowReader>> OpenPnmRows(const std::string& path, const ImageHeader& header,
                                               bool lenient);

/// Bytes of the pool that are held of stored rows of `row_bytes`.
size_t PnmPieceBytes(size_t row_bytes);

}  // namespace imgmill
