// What is known of a video before anything is decoded: from the container, and from the headers that FFmpeg's
// parsers find in its first packets.
#pragma once

#include "video/container.h"

namespace imgmill {

/// False, with `why`: without a size nothing can be planned. @param most_pixels  larger pictures are not
/// decoded
bool ReadVideoFacts(Container& container, int64_t most_pixels, VideoFacts& facts, Error& why);

}  // namespace imgmill
