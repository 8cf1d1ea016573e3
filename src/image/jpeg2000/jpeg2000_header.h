// What a JPEG 2000 file says about itself before its pixels: libvips does not tell, and memory and what can
// be read depend on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "image/open_file.h"

namespace imgmill {

struct Jpeg2000Codestream {
  uint64_t at = 0;       ///< of its first marker, SOC
  uint64_t end = 0;      ///< as the file claims it
  bool palette = false;  ///< a box before it holds one
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
  uint64_t at = 0;  ///< of the codestream
  Code code = Code::kUnsupported;
  std::string refused;  ///< why libvips must not be given its pixels, in plain words; empty if it may
};
Jpeg2000Layout ReadJpeg2000Layout(const InputFile& file);

}  // namespace imgmill
