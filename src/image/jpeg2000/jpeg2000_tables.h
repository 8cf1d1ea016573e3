// What OpenJPEG keeps of a codestream's structure beside its pixels: tiny tiles, precincts or code-blocks,
// which a header of 100 bytes can ask for, take far more than the pixels do.
#pragma once

#include <cstdint>

#include "jpeg2000_header.h"

namespace imgmill {

struct Jpeg2000Tables {
  int64_t tiles = 1;
  int64_t while_probed = 0;   ///< bytes for all tiles, taken when the header is read
  int64_t while_decoded = 0;  ///< and for the code-blocks and precincts of one tile
  int64_t packets = 0;        ///< of one tile, at most
};

/// By the layout, which may be one that is refused, and the codestream's markers COD and COC (ISO 15444-1,
/// annex A). The costs are measured: OpenJPEG 2.5.0 on 64 bits.
Jpeg2000Tables ReadJpeg2000Tables(const InputFile& file, const Jpeg2000Layout& layout);

}  // namespace imgmill
