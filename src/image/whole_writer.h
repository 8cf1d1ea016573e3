// Rows gathered until a picture is whole, for the encoders that want it so.
#pragma once

#include <memory>
#include <string>

#include "imgmill/image/writer.h"
#include "output_file.h"
#include "whole_encoder.h"

namespace imgmill {

/// As CreateRows, for formats that IsWhole names. @throws OutOfMemory
Result<std::unique_ptr<RowWriter>> CreateWholeRows(std::unique_ptr<OutputFile> file, const Layout& layout,
                                                   const WriteOptions& options,
                                                   const std::string& metadata_from);
/// @param stored  StoredForm of the image
Footprint WholeWriteFootprint(const Layout& stored, const WriteOptions& options);

}  // namespace imgmill
