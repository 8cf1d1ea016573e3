// What an AV1 stream itself says of its colours and its losses, where the file around it says nothing.
#pragma once

#include <cstdint>

#include "image/open_file.h"

namespace imgmill {

struct Av1Header {
  bool told = false;     ///< there is a sequence header that ends where it should; else all of this is unset
  bool limited = false;  ///< black is 16 and white 235, of 255
  bool grey = false;
  bool full_colours = false;  ///< as many samples of colour as of light
  uint32_t matrix = 2;        ///< by which RGB became what is stored (ITU-T H.273); 2: not told
  /// The first frame's coefficients are as they came, of no transform that rounds. False where the frame is
  /// of a kind that a single image never is, or has segments or tiles of sizes of their own.
  bool exact = false;
};

/// @param at, bytes  where the stream is in the file
Av1Header ReadAv1Header(const InputFile& file, uint64_t at, uint64_t bytes);

}  // namespace imgmill
