// Frames of a JPEG XL animation, by libjxl.
#pragma once

#include <memory>
#include <string>

#include "image/still/still_module.h"

namespace imgmill {

/// As 8 bits a sample, in sRGB. Null: `why` tells.
std::unique_ptr<StillImage> DecodeFirstJxlFrame(const uint8_t* bytes, size_t size, int64_t width,
                                                int64_t height, std::string& why);

/// All frames, in turn. Null: `why` tells.
std::unique_ptr<StillFrames> OpenJxlFrames(const uint8_t* bytes, size_t size, int64_t width, int64_t height,
                                           std::string& why);

}  // namespace imgmill
