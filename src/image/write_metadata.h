// What is taken over from a source file into a written one besides pixels.
#pragma once

#include <string>
#include <vector>

#include "imgmill/image/writer.h"
#include "vips_session.h"

namespace imgmill {

/// Copies ICC profile (where it describes the rows of `layout` that are written), EXIF with upright
/// orientation, XMP, IPTC and resolution from the file at `source` to `image`. What cannot be had is left out
/// and noted. Call under a share.
void TakeMetadata(VipsImage* image, const std::string& source, const Layout& layout,
                  const WriteOptions& options, std::vector<std::string>& notes);

}  // namespace imgmill
