// What an ICC profile says about itself, without a colour engine.
#pragma once

#include <cstdint>
#include <vector>

namespace imgmill {

enum class ProfileSpace { kUnusable, kGrey, kRgb, kCmyk, kOther };

/// Colour space of the samples that the profile describes; kUnusable when it is cut short or no profile.
ProfileSpace SpaceOfProfile(const std::vector<uint8_t>& profile);

/// An RGB profile that makes of three equal samples what this one of grey makes of each: for files that hold
/// grey as RGB. Empty where it is no grey profile of one curve to XYZ.
std::vector<uint8_t> RgbOfGrey(const std::vector<uint8_t>& profile);

/// True when converting through the profile would change nothing worth a change: a matrix profile with sRGB's
/// primaries (each within 0.003 in XYZ) and sRGB's curve (within 1/255 of it at 17 points), or one of grey
/// with that curve. When in doubt, false.
bool IsPlainSrgb(const std::vector<uint8_t>& profile);

}  // namespace imgmill
