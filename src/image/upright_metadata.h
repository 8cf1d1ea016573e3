// Metadata of an image that was turned, or of a piece of one: what says or shows how it was before must go or
// be put right, all else stays.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imgmill {

/// Sets tiff:Orientation in an XMP packet to 1, wherever it stands and whatever the prefix of its namespace;
/// with `drop_thumbnails` takes xmp:Thumbnails out.
void MakeXmpUpright(std::vector<uint8_t>& xmp, bool drop_thumbnails);

/// Sets tiff:ImageWidth, tiff:ImageLength, exif:PixelXDimension and exif:PixelYDimension in an XMP packet,
/// where there are such.
void SetXmpSize(std::vector<uint8_t>& xmp, int64_t width, int64_t height);

/// Cuts an EXIF block's second directory off, which describes the thumbnail. The block may begin with
/// "Exif\0\0".
void DropExifThumbnail(std::vector<uint8_t>& exif);

/// Takes the thumbnails out of a JPEG's block of Photoshop resources, which IPTC lies in.
void DropPhotoshopThumbnail(std::vector<uint8_t>& resources);

}  // namespace imgmill
