// Which of a JPEG's markers are kept in memory.
#pragma once

#include <cstddef>

#include "jpeg_api.h"

namespace imgmill {

/// Of APP1 and APP2 markers, of which a file may have as many as it likes, the decoder keeps those that are
/// looked at: the first EXIF block, the first index of further images, and the parts of a colour profile, of
/// which there are 255 at most. The others are passed over.
/// @param info  with a source that never suspends
void KeepUsedMarkers(jpeg_decompress_struct& info);

/// Bytes of a profile that may be kept.
inline constexpr size_t kMostProfileBytes = size_t{256} << 16;

}  // namespace imgmill
