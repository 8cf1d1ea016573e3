// Metadata of an image that was turned: what says or shows how it lay before must go, all else stays.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imgmill {

/// Sets tiff:Orientation in an XMP packet to 1, wherever it stands and whatever the prefix of its namespace;
/// with `drop_thumbnails` takes xmp:Thumbnails out.
void MakeXmpUpright(std::vector<uint8_t>& xmp, bool drop_thumbnails);

/// Cuts an EXIF block's second directory off, which describes the thumbnail. The block may begin with
/// "Exif\0\0".
void DropExifThumbnail(std::vector<uint8_t>& exif);

/// Takes the thumbnails out of a JPEG's block of Photoshop resources, which IPTC lies in.
void DropPhotoshopThumbnail(std::vector<uint8_t>& resources);

}  // namespace imgmill
