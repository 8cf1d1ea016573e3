// What a JPEG XL's headers say that libvips does not hand out.
#pragma once

#include "open_file.h"

namespace imgmill {

/// Whether it is, or may be, an animation, whose frames only libjxl can count.
bool MayBeAnimatedJxl(const InputFile& file);

/// Whether the pixels are those that it was made from: its colours are stored as they came, not as the eye
/// sees them (XYB), and predicted (modular), not by a DCT. A lossy file that has both is made by nobody
/// unless asked for, as by cjxl's --modular_lossy_palette. False where an ICC profile stands between this and
/// the first frame: its end is known only to who decodes it.
bool IsLosslessJxl(const InputFile& file);

}  // namespace imgmill
