// The limit on pixels, as every reader of headers keeps it.
#pragma once

#include <optional>
#include <string>

#include "imgmill/image/reader.h"

namespace imgmill {

/// The error for an image of more pixels than the limit. @param of  what has them, if not the image
inline std::optional<Error> RefuseManyPixels(int64_t width, int64_t height, const ImageLimits& limits,
                                             const char* of = "") {
  const bool within = width <= limits.max_pixels && height <= limits.max_pixels &&
                      (width == 0 || height <= limits.max_pixels / width);
  if (within) return std::nullopt;
  return Error{Stage::kProbe, Code::kLimitExceeded,
               of + std::to_string(width) + " x " + std::to_string(height) +
                   " pixels are more than the limit of " + std::to_string(limits.max_pixels) +
                   " (raise --max-pixels to allow it)"};
}

}  // namespace imgmill
