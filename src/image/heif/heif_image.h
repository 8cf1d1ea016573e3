// The image of a HEIF or AVIF file that is shown, by the file's boxes.
#pragma once

#include <string>

#include "image/open_file.h"

namespace imgmill {

/// Why it would be shown wrongly, in plain words; empty if it would not.
std::string HeifUnsupported(const InputFile& file);

/// Whether its pixels are those that it was made from: AV1 that rounds nothing, grey or of RGB as it is, of
/// full range, and so is its alpha. False of HEVC, where each block says for itself whether it is lossless.
bool IsLosslessHeif(const InputFile& file);

}  // namespace imgmill
