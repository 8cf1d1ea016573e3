#include "networks/kernels/map_resizing.h"

#include <cstring>

#include "networks/kernels/conv_kernels.h"

namespace imgmill {

void BilinearRow(const float* above, const float* below, float share, int from_width, int width, size_t pixel,
                 float* to) {
  for (int x = 0; x < width; ++x, to += pixel) {
    const Between columns(x, from_width, width);
    const size_t left = static_cast<size_t>(columns.first) * pixel,
                 right = static_cast<size_t>(columns.second) * pixel;
    for (size_t c = 0; c < pixel; ++c) {
      const float top = above[left + c] + columns.share * (above[right + c] - above[left + c]);
      const float bottom = below[left + c] + columns.share * (below[right + c] - below[left + c]);
      to[c] = top + share * (bottom - top);
    }
  }
}

void NearestRow(const float* from, int from_width, int width, size_t pixel, float* to) {
  for (int x = 0; x < width; ++x, to += pixel)
    std::memcpy(to, from + static_cast<size_t>(NearestTo(x, from_width, width)) * pixel,
                pixel * sizeof(float));
}

void TakeLargest(const RowChannels& from, bool begins, int width, size_t floats, float* to) {
  for (int x = 0; x < width; ++x, to += floats) {
    const StretchedSquare square(x, from.width, width);
    const float* pixel = from.first + static_cast<size_t>(square.first) * from.pixel;
    if (begins) std::memcpy(to, pixel, floats * sizeof(float));
    for (int at = square.first; at < square.end; ++at, pixel += from.pixel) {
      for (size_t c = 0; c < floats; c += kChannelPad) {
        for (size_t i = c; i < c + kChannelPad; ++i) to[i] = std::max(to[i], pixel[i]);
      }
    }
  }
}

}  // namespace imgmill
