// What a JPEG 2000 file says about itself before its pixels: libvips does not tell, and memory and what can
// be read depend on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "image/open_file.h"

namespace imgmill {

/// What the samples are, as numbered in the box `colr` (ISO 15444-1, table I.10; 15444-2, table M.25).
enum class Jpeg2000Colour : uint32_t {
  kNotNumbered = 0,  ///< a profile or nothing says it
  kYcc = 18,         ///< sYCC: luma and chroma of sRGB, of the full range
  kExtendedYcc = 24,
};

struct Jpeg2000Codestream {
  uint64_t at = 0;       ///< of its first marker, SOC
  uint64_t end = 0;      ///< as the file claims it
  bool palette = false;  ///< a box before it holds one
  Jpeg2000Colour colour = Jpeg2000Colour::kNotNumbered;
};
/// Where the first codestream of a JP2 file, or a bare one, lies; nothing if the boxes do not lead to one.
std::optional<Jpeg2000Codestream> FindJpeg2000Codestream(const InputFile& file);

struct Jpeg2000Layout {
  int64_t width = 0;
  int64_t height = 0;
  int64_t block_rows = 1;  ///< of a tile, 1 to the height
  int bits = 0;            ///< of a sample; 0 where it cannot be told
  int64_t tile_width = 0;
  int64_t tile_height = 0;
  int64_t components = 0;
  /// The samples are sYCC, and libvips would hand them out as they are: it converts those of which colour is
  /// at half the size.
  bool plain_ycc = false;
  uint64_t at = 0;  ///< of the codestream
  Code code = Code::kUnsupported;
  std::string refused;  ///< why libvips must not be given its pixels, in plain words; empty if it may
};
Jpeg2000Layout ReadJpeg2000Layout(const InputFile& file);

}  // namespace imgmill
