// What an AV1 stream itself says of its colours, where the file around it says nothing.
#pragma once

#include <cstdint>

#include "image/open_file.h"

namespace imgmill {

/// Whether the sequence header of the stream at `at` says that black is 16 and white 235, of 255. False where
/// there is none.
bool Av1RangeIsLimited(const InputFile& file, uint64_t at, uint64_t bytes);

}  // namespace imgmill
