// The 8-bit colours of a row, for who measures them and for networks, which are shown no others.
#pragma once

#include <cstdint>

#include "imgmill/image/image.h"

namespace imgmill {

/// Colours without alpha: rounded to 8 bits as readers do it, then laid over white.
/// @param rounded  room for width * colour_bands() bytes
void RoundRow(const uint8_t* row, const Layout& layout, uint8_t* rounded);

}  // namespace imgmill
