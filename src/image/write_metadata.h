// What is taken over from a source file into a written one besides pixels.
#pragma once

#include <string>
#include <vector>

#include "imgmill/image/writer.h"
#include "vips_session.h"

namespace imgmill {

/// What a file takes along beside pixels, each empty where there is none.
struct CarriedMetadata {
  std::vector<uint8_t> profile;
  std::vector<uint8_t> exif;  ///< a TIFF structure, without "Exif" before it
  std::vector<uint8_t> xmp;
};

/// The same as TakeMetadata, as blocks. Call under no share.
/// @param stored  the layout of what is written
CarriedMetadata ReadCarriedMetadata(const std::string& source, const Layout& layout, const Layout& stored,
                                    const WriteOptions& options, std::vector<std::string>& notes);

/// Copies ICC profile (where it describes the rows of `layout` that are written), EXIF with upright
/// orientation, XMP, IPTC and resolution from the file at `source` to `image`. What cannot be had is left out
/// and noted. Call under a share.
void TakeMetadata(VipsImage* image, const std::string& source, const Layout& layout,
                  const WriteOptions& options, std::vector<std::string>& notes);

}  // namespace imgmill
