// Between interleaved rows of any sample type and the planar float32 that models take, 0..1.
#pragma once

#include <cstdint>
#include <vector>

#include "imgmill/image/image.h"

namespace imgmill {

/// Which band of the rows feeds each of the model's three planes: colours as they are, grey on all three, or
/// alpha on all three.
struct PlaneMap {
  int source[3] = {0, 1, 2};
};

/// Fills 3 x height x width floats from columns [x, x + width) and rows [y, y + height) of the view.
void ToPlanes(const ImageView& view, int64_t x, int64_t y, int64_t width, int64_t height, const PlaneMap& map,
              float* planes);

/// What of a pixel a colour model is shown at once, and the bands that its result goes to.
struct PlanePass {
  PlaneMap map;
  int first_band = 0;
  int bands = 3;
};

/// Colours, and alpha if there is one.
std::vector<PlanePass> PassesFor(const Layout& layout);

/// Packed rows to write to.
struct RowTarget {
  uint8_t* data = nullptr;
  Layout layout;
  uint8_t* row(int64_t y) const { return data + static_cast<size_t>(y) * layout.row_bytes(); }
};

/// Rounds the rectangle [own_x, own_x + width) x [own_y, own_y + height) of planes that are `plane_width`
/// wide and `plane_height` high into rows of `target` from column x on. `bands` of the planes go to bands
/// `first_band`... of the pixel: 3 as they are, or 1, the mean of the three (where a grey image went
/// through a colour model).
void FromPlanes(const float* planes, int64_t plane_width, int64_t plane_height, int64_t own_x, int64_t own_y,
                int64_t width, int64_t height, int first_band, int bands, const RowTarget& target, int64_t x,
                int64_t y);

}  // namespace imgmill
