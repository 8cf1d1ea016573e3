// The steps of OpenRows that a FrameSource goes, too.
#pragma once

#include <memory>
#include <string>

#include "imgmill/image/reader.h"

namespace imgmill {

/// OpenRows without the note that there are other images in the file. @throws OutOfMemory
Result<std::unique_ptr<RowReader>> OpenAlone(const std::string& path, const ImageHeader& header,
                                             const ReadOptions& options);

/// Rows as they are stored, in grey or sRGB, in the form that `options` ask for, and upright.
std::unique_ptr<RowReader> AsAsked(std::unique_ptr<RowReader> stored, const ImageHeader& header,
                                   const ReadOptions& options);

}  // namespace imgmill
