// RowWriter for PNG, whose pixels are deflated here, on all cores.
#pragma once

#include <memory>
#include <string>

#include "image/output_file.h"
#include "imgmill/image/writer.h"

namespace imgmill {

/// As CreateRows, for PNG. @throws OutOfMemory
Result<std::unique_ptr<RowWriter>> CreatePngRows(std::unique_ptr<OutputFile> file, const Layout& layout,
                                                 const WriteOptions& options,
                                                 const std::string& metadata_from);

Footprint PngWriteFootprint(const Layout& stored, const WriteOptions& options);

}  // namespace imgmill
