// What is taken over from a source file into a written one besides pixels.
#pragma once

#include <string>
#include <vector>

#include "imgmill/image/encoder.h"
#include "imgmill/image/writer.h"
#include "vips_session.h"

namespace imgmill {

/// The same as TakeMetadata, as blocks. Call under no share.
/// @param stored  the layout of what is written
CarriedMetadata ReadCarriedMetadata(const std::string& source, const Layout& layout, const Layout& stored,
                                    const WriteOptions& options, std::vector<std::string>& notes);

/// Copies ICC profile (where it describes the rows of `layout` that are written), EXIF with upright
/// orientation, XMP, IPTC and resolution from the file at `source` to `image`. What cannot be had is left out
/// and noted. Call under a share.
void TakeMetadata(VipsImage* image, const std::string& source, const Layout& layout,
                  const WriteOptions& options, std::vector<std::string>& notes);

/// The way back: gives an image of libvips what these blocks say. Call under a share.
void GiveMetadata(const CarriedMetadata& metadata, VipsImage* image);

}  // namespace imgmill
