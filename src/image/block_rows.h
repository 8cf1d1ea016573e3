// How a TIFF or JPEG 2000 file is cut up inside: libvips does not tell, and memory and what can be read
// depend on it.
#pragma once

#include <cstdint>

#include "open_file.h"
#include "tiff_facts.h"

namespace imgmill {

struct TiffBlocks {
  int64_t rows = 0;  ///< of a strip or tile of the first image, 1 to its height; that where it cannot be told
  bool by_rows = false;  ///< a strip is read whole, but decoded row by row
};
TiffBlocks ReadTiffBlocks(const TiffFacts& facts, int64_t height);

struct Jpeg2000Layout {
  int64_t block_rows = 0;      ///< of a tile, 1 to the image's height; that where it cannot be told
  bool usual_sampling = true;  ///< the first component at full size, the others at full or half
  int bits = 0;                ///< of a sample; 0 where it cannot be told
  bool equal_bits = true;      ///< in all components, which are all signed or all unsigned
};
Jpeg2000Layout ReadJpeg2000Layout(const InputFile& file, int64_t height);

}  // namespace imgmill
