// How much an encoder gave up, as far as the header of a file tells: what decides which of two copies of one
// size came first.
#pragma once

#include <string>

#include "imgmill/image/reader.h"
#include "jpeg_api.h"
#include "open_file.h"

namespace imgmill {

/// Of a JPEG, from its quantisation tables and the sampling of its colours. `header` has its sizes.
uint32_t FidelityOfJpeg(const ImageHeader& header, const jpeg_decompress_struct& info);

/// Of any other format. `palette`: the pixels are numbers of at most 256 colours.
uint32_t FidelityOf(const ImageHeader& header, const InputFile& file, bool palette);

}  // namespace imgmill
