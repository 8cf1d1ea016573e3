// When an image shows colour, and the quick look for it that spares decoding the colours of a JPEG of which
// only the luma is wanted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// An image shows colour where red, green and blue of a block's mean are so far apart at least, in levels of
/// 255. A block has 8x8 pixels of the full size: a JPEG at 1/8 has them as its pixels, and noise is averaged
/// away. Grey that was saved as colour stays within 2; a yellowed page counts as colour.
inline constexpr int kShownColour = 8;
inline constexpr int kColourBlock = 8;

inline int ColourSpread(int red, int green, int blue) {
  return std::max({red, green, blue}) - std::min({red, green, blue});
}

/// Of a JPEG of any number of components; its profile is not looked at. Reads up to the first block that
/// shows colour, mostly the first rows, and of a progressive file its first scan. What of the file is damaged
/// shows none.
Result<bool> JpegShowsColour(const std::string& path);

}  // namespace imgmill
