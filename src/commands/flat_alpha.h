// Alpha where it does not change: a network would make 252 of an opaque picture's 255.
#pragma once

#include "engine/planar.h"
#include "imgmill/engine/operation.h"

namespace imgmill {

/// Pixels whose neighbours that far in all directions, as far as the image goes, have the same alpha, keep
/// it.
constexpr int64_t kFlatReach = 4;

/// Writes the alpha of such pixels among the region's own rows to `band`, the own rows enlarged by `scale`.
/// Which they are depends only on the image as long as the region's context has kFlatReach rows, or ends with
/// the image. Does nothing where there is no alpha.
void KeepFlatAlpha(const Region& region, int64_t scale, const RowTarget& band);

/// Whether all of a rectangle of the view has the same alpha: what a network makes of it is not needed.
bool IsAlphaFlat(const ImageView& view, int64_t x, int64_t width);

}  // namespace imgmill
