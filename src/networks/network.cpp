#include "networks/network.h"

#include <algorithm>
#include <cstring>

namespace imgmill {

void Gather(std::span<const BatchImage> images, int n, size_t floats, float* to) {
  for (size_t i = 0; i < static_cast<size_t>(n); ++i)
    std::memcpy(to + i * floats, images[i < images.size() ? i : 0].input, floats * sizeof(float));
}

Error NotFinite(const ModelInfo& info) {
  return {Stage::kCompute, Code::kModelError,
          "the model (" + info.architecture +
              ") gave values that are infinite or not numbers for this image: nothing was written"};
}

Status CheckShape(const ModelInfo& info, size_t images, int n, int height, int width) {
  if (images > 0 && images <= static_cast<size_t>(std::max(0, n)) && height > 0 && width > 0) {
    return {};
  }
  return Error{Stage::kCompute, Code::kInternal,
               "a batch of " + std::to_string(n) + " images of " + std::to_string(width) + "x" +
                   std::to_string(height) + " does not suit " + info.architecture};
}

}  // namespace imgmill
