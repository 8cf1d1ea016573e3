// Where to begin: all crops of one picture, on a grid, that the other may be.
#pragma once

#include <array>

#include "picture_alignment.h"

namespace imgmill {

/// The three crops under which two pictures of some dozen pixels are most alike, the best first.
std::array<PlaceMap, 3> BestCrops(const PictureLevel& first, const PictureLevel& second);

}  // namespace imgmill
