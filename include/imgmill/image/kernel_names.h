// The classical kernels, as users name them.
#pragma once

#include <array>
#include <string>

namespace imgmill {

/// What OpenResizedRows takes; from the roughest to the sharpest.
inline const std::array<std::string, 6> kKernelNames = {"nearest",  "linear",   "cubic",
                                                        "mitchell", "lanczos2", "lanczos3"};

}  // namespace imgmill
