// The head that judges CLIP's vectors gets its CLIP from a second file.
#pragma once

#include <memory>
#include <string>

#include "torch/network.h"

namespace imgmill {

/// Loads CLIP's image tower in front of a head that judges its vectors, and tries both on an image. Nothing
/// to do for a network that looks at images itself. kModelError: no file, no CLIP, or one whose vectors the
/// head does not take.
/// @param clip  its weight file
Status PutClipBefore(Network& scorer, const std::string& clip, int threads);

}  // namespace imgmill
