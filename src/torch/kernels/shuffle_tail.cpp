#include "torch/kernels/shuffle_tail.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace imgmill {

bool ShuffleTail::Put(const KernelImage& image, int y, int x0, int x1, const float* values,
                      size_t stride) const noexcept {
  constexpr float kMost = std::numeric_limits<float>::max();
  bool finite = true;
  const size_t scale = scale_;
  const size_t width = static_cast<size_t>(image.width), height = static_cast<size_t>(image.height);
  for (size_t c = 0; c < 3; ++c) {
    const float* base = image.input + (c * height + static_cast<size_t>(y)) * width;
    for (size_t i = 0; i < scale; ++i) {
      float* to = image.output + ((c * height + static_cast<size_t>(y)) * scale + i) * width * scale;
      const float* from = values + (c * scale + i) * scale;
      for (size_t x = static_cast<size_t>(x0); x < static_cast<size_t>(x1); ++x) {
        for (size_t j = 0; j < scale; ++j) {
          const float value = from[x * stride + j] + base[x];
          finite &= std::abs(value) <= kMost;
          to[x * scale + j] = std::min(std::max(value, 0.0f), 1.0f);
        }
      }
    }
  }
  return finite;
}

}  // namespace imgmill
