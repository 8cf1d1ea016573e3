// The facts of a photograph out of an EXIF block.
#pragma once

#include "imgmill/image/photo_facts.h"

namespace imgmill {

/// @param block  may begin with "Exif\0\0"; empty: there is none
PhotoFacts PhotoFactsOf(std::span<const uint8_t> block);

}  // namespace imgmill
