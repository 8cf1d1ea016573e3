// How a TIFF file is cut up inside: libvips does not tell, and memory depends on it.
#pragma once

#include <cstdint>

#include "image/tiff/tiff_facts.h"

namespace imgmill {

struct TiffBlocks {
  int64_t rows = 0;  ///< of a strip or tile of the first image, 1 to its height; that where it cannot be told
  bool by_rows = false;  ///< a strip is read whole, but decoded row by row
};
TiffBlocks ReadTiffBlocks(const TiffFacts& facts, int64_t height);

}  // namespace imgmill
