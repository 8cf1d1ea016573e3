// What a network's module holds where that grows with the image's pixels alone.
#pragma once

#include <cstdint>

#include "torch/executors/module_executor.h"

namespace imgmill {

/// @param floats  at once, for each pixel of the input
inline ModuleBytes BytesOfFloats(int64_t floats) {
  return [floats](int height, int width) {
    return static_cast<size_t>(floats * height * width) * sizeof(float);
  };
}

}  // namespace imgmill
