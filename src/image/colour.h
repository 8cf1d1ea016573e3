// Colours of any file as grey or sRGB.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgmill/image/image.h"
#include "vips_session.h"

namespace imgmill {

/// What an image's colours are, and what they become.
struct ColourPlan {
  int stored_bands = 0;  ///< as libvips gives them
  int colours = 0;       ///< of the result: 1 or 3
  bool has_alpha = false;
  bool cmyk = false;
  bool linear = false;  ///< float samples are linear light, as no profile says otherwise; results are, too
  Sample sample = Sample::kU8;
  int used_bands = 0;       ///< of stored_bands; the rest is dropped (spectral or mask channels)
  int alpha_band = -1;      ///< of the stored ones, where there is alpha
  std::string unsupported;  ///< why it cannot be converted; empty when it can
  int bands() const { return colours + (has_alpha ? 1 : 0); }
};

/// Looks at the header only.
ColourPlan PlanColour(VipsImage* image);

/// Tells PlanColour what a loaded image's bands are, where the file says it: the first `colours` are colours,
/// and `alpha` is the one that is alpha, -1 for none.
void NoteBandRoles(VipsImage* image, int colours, int alpha);

/// The pipeline that converts `image` as planned: 8-bit, 16-bit or float, 1 to 4 bands. With `keep_profile`,
/// profiles of grey and RGB images are not applied. Null: libvips failed. Call under VipsShared or VipsAlone.
ImageRef ConvertColour(VipsImage* image, const ColourPlan& plan, bool keep_profile,
                       std::vector<std::string>& notes);

}  // namespace imgmill
