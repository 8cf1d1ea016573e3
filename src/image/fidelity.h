// How much an encoder gave up, as far as the header of a file tells: what decides which of two copies of one
// size came first.
#pragma once

#include "image/jpeg/jpeg_api.h"
#include "imgmill/image/reader.h"
#include "open_file.h"

namespace imgmill {

/// Of a JPEG, from its quantisation tables and the sampling of its colours. `header` has its sizes.
uint32_t FidelityOfJpeg(const ImageHeader& header, const jpeg_decompress_struct& info);

/// Of any other format.
uint32_t FidelityOf(const ImageHeader& header, const InputFile& file);

/// Quality in half steps, 1 to 100, above the samples that are stored for a pixel (1 to 4), in hundredths.
uint32_t LossyFidelity(double quality, double samples);

/// @param has_more  than grey or three colours: alpha, or a fourth ink
uint32_t LosslessFidelity(int bits_per_sample, bool has_more);

}  // namespace imgmill
