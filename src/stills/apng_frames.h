// Frames of an animated PNG, by FFmpeg.
#pragma once

#include <memory>
#include <string>

#include "image/still/still_module.h"

namespace imgmill {

/// All frames, in turn; a first image that is no part of the animation counts as one, but is not drawn. Null:
/// `why` tells.
std::unique_ptr<StillFrames> OpenApngFrames(const uint8_t* bytes, size_t size, int64_t width, int64_t height,
                                            std::string& why);

}  // namespace imgmill
