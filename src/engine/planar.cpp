// Interleaved to planar and back, for 8-bit, 16-bit and float samples.
#include "planar.h"

#include <algorithm>
#include <cmath>

namespace imgmill {
namespace {

template <typename T>
constexpr float kFull = 1;
template <>
constexpr float kFull<uint8_t> = 255;
template <>
constexpr float kFull<uint16_t> = 65535;

template <typename T>
void FillPlanes(const ImageView& view, int64_t x, int64_t y, int64_t width, int64_t height,
                const PlaneMap& map, float* planes) {
  const int bands = view.layout.bands;
  for (int plane = 0; plane < 3; ++plane) {
    for (int64_t row = 0; row < height; ++row) {
      const T* pixel = reinterpret_cast<const T*>(view.row(y + row)) + x * bands + map.source[plane];
      for (int64_t column = 0; column < width; ++column, pixel += bands) {
        *planes++ = static_cast<float>(*pixel) / kFull<T>;
      }
    }
  }
}

template <typename T>
T Rounded(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    return static_cast<T>(
        std::lrintf(std::clamp(value, 0.0f, 1.0f) * kFull<T>));  // half to even, as torch.round
  }
}

template <typename T>
void FillRows(const float* planes, int64_t plane_width, int64_t plane_height, int64_t own_x, int64_t own_y,
              int64_t width, int64_t height, int first_band, int bands, const RowTarget& target, int64_t x,
              int64_t y) {
  const int step = target.layout.bands;
  const int64_t plane = plane_width * plane_height;
  for (int64_t row = 0; row < height; ++row) {
    const float* source = planes + (own_y + row) * plane_width + own_x;
    T* pixel = reinterpret_cast<T*>(target.row(y + row)) + x * step + first_band;
    for (int64_t column = 0; column < width; ++column, ++source, pixel += step) {
      if (bands == 1) {
        *pixel = Rounded<T>((source[0] + source[plane] + source[2 * plane]) / 3);
      } else {
        pixel[0] = Rounded<T>(source[0]);
        pixel[1] = Rounded<T>(source[plane]);
        pixel[2] = Rounded<T>(source[2 * plane]);
      }
    }
  }
}

}  // namespace

std::vector<PlanePass> PassesFor(const Layout& layout) {
  std::vector<PlanePass> passes;
  if (layout.colour_bands() == 3) {
    passes.push_back({{{0, 1, 2}}, 0, 3});
  } else {
    passes.push_back({{{0, 0, 0}}, 0, 1});
  }
  const int alpha = layout.bands - 1;
  if (layout.has_alpha()) passes.push_back({{{alpha, alpha, alpha}}, alpha, 1});
  return passes;
}

void ToPlanes(const ImageView& view, int64_t x, int64_t y, int64_t width, int64_t height, const PlaneMap& map,
              float* planes) {
  switch (view.layout.sample) {
    case Sample::kU8:
      return FillPlanes<uint8_t>(view, x, y, width, height, map, planes);
    case Sample::kU16:
      return FillPlanes<uint16_t>(view, x, y, width, height, map, planes);
    case Sample::kF32:
      return FillPlanes<float>(view, x, y, width, height, map, planes);
  }
}

void FromPlanes(const float* planes, int64_t plane_width, int64_t plane_height, int64_t own_x, int64_t own_y,
                int64_t width, int64_t height, int first_band, int bands, const RowTarget& target, int64_t x,
                int64_t y) {
  switch (target.layout.sample) {
    case Sample::kU8:
      return FillRows<uint8_t>(planes, plane_width, plane_height, own_x, own_y, width, height, first_band,
                               bands, target, x, y);
    case Sample::kU16:
      return FillRows<uint16_t>(planes, plane_width, plane_height, own_x, own_y, width, height, first_band,
                                bands, target, x, y);
    case Sample::kF32:
      return FillRows<float>(planes, plane_width, plane_height, own_x, own_y, width, height, first_band,
                             bands, target, x, y);
  }
}

}  // namespace imgmill
