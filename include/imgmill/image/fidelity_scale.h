// The scale on which files of all formats are ordered by how little their encoders gave up
// (ImageHeader::fidelity), for whoever knows more than the header does.
#pragma once

#include <cstdint>

namespace imgmill {

bool IsLosslessFidelity(uint32_t fidelity);

/// The quality, 1 to 100, that the quantisation tables of a JPEG correspond to.
double QualityOfJpeg(uint32_t fidelity);

/// The fidelity of an image that shows no colour: how finely colours are sampled does not matter then.
uint32_t FidelityWithoutColour(uint32_t fidelity);

/// Of a losslessly stored image that somebody reduced to this many colours or levels of grey: that of a
/// JPEG that is as far from the original. More than 256 colours, or 64 levels of grey, are no reduction: the
/// result is `fidelity`, the header's.
uint32_t FidelityOfFewColours(uint32_t fidelity, int colours, bool shows_colour);

}  // namespace imgmill
