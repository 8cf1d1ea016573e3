// What $IMGMILL_ISA may name.
#pragma once

#include "imgmill/base/result.h"

namespace imgmill {

/// A kUsage error where it names no kernels: another name would silently choose LibTorch's.
Status CheckNamedKernels();

}  // namespace imgmill
