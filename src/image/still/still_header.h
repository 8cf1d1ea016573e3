// Headers of the formats that FFmpeg decodes for us: what an image is and what it needs is known, and
// checked, before memory is spent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "image/open_file.h"
#include "image/vips_load.h"
#include "imgmill/image/image.h"
#include "still_module.h"

namespace imgmill {

/// A BMP, TGA, QOI, ICO, DDS or SGI file, as its header says.
struct StillHeader {
  ImageFormat format = ImageFormat::kOther;
  StillKind kind = StillKind::kBmp;
  int64_t width = 0;
  int64_t height = 0;
  int bands = 3;  ///< 1 to 4; the last of 2 and of 4 is alpha
  Sample sample = Sample::kU8;
  int frames = 1;

  /// Where in the file the bytes lie that are decoded: all of it, but of an icon and of a DDS.
  int64_t at = 0;
  int64_t bytes = 0;  ///< DDS: 0, those of its pixels

  /// BMP, TGA, DDS and SGI: of the pixels, from `at` on.
  int64_t pixels_at = 0;
  int64_t row_bytes = 0;    ///< as stored, without compression; DDS: of a row of blocks
  int pixel_bytes = 0;      ///< TGA's packets; QOI's channels; SGI's samples
  bool compressed = false;  ///< by runs
  bool bottom_up = false;   ///< the lowest row first
  int bits = 0;             ///< BMP and DDS: of a pixel
  int block_side = 1;       ///< DDS: rows and columns that are stored together
  int dds_form = 0;         ///< which of its layouts, for WriteDdsHeader

  /// BMP in an icon: without the file's header, and with a mask of transparent pixels behind the image.
  bool in_icon = false;
  /// BMP: a header of 52 bytes, which FFmpeg knows only as one of 40 with masks behind it.
  bool with_masks = false;

  std::string unsupported;  ///< why it is not read; empty when it is
};

/// Nothing if the file is of none of these formats. TGA has no signature: it is looked for only where `last`
/// says that no other reader wants the file.
std::optional<StillHeader> ReadStillHeader(const InputFile& file, const FileHead& head, bool last);

}  // namespace imgmill
