// Headers of Netpbm's formats: what an image is and what it needs is known, and checked, before memory is
// spent.
#pragma once

#include <cstdint>

#include "image/open_file.h"
#include "image/vips_load.h"
#include "imgmill/base/result.h"
#include "imgmill/image/image.h"

namespace imgmill {

/// PBM, PGM, PPM, PAM or PFM.
struct PnmHeader {
  enum class Pixels {
    kTextBits,  ///< P1
    kText,      ///< P2, P3
    kBits,      ///< P4: eight pixels a byte, set for black
    kNumbers,   ///< P5, P6, P7: of one byte, or of two, the higher one first
    kFloats     ///< PFM: the lowest row first
  };
  Pixels pixels = Pixels::kNumbers;
  int64_t width = 0;
  int64_t height = 0;
  int bands = 1;
  uint32_t white = 1;          ///< the largest number, at most 65535
  bool little_endian = false;  ///< PFM
  int64_t pixels_at = 0;       ///< where they begin

  Sample sample() const {
    return pixels == Pixels::kFloats ? Sample::kF32 : white > 255 ? Sample::kU16 : Sample::kU8;
  }
  bool text() const { return pixels == Pixels::kTextBits || pixels == Pixels::kText; }
  /// As stored; of no fixed length in text.
  int64_t row_bytes() const {
    if (pixels == Pixels::kBits) return (width + 7) / 8;
    return width * bands * static_cast<int64_t>(BytesPerSample(sample()));
  }
};

/// Errors: kMalformed, kUnsupported. Width and height are above 0, and not held against any limit.
Result<PnmHeader> ReadPnmHeader(const InputFile& file, Stage stage);

}  // namespace imgmill
