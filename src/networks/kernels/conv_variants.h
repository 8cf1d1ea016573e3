// The compiled variants of the convolution kernels, for the one file that chooses among them.
#pragma once

#include "networks/kernels/conv_kernels.h"

namespace imgmill {

extern const ConvKernels kConv_avx512;
extern const ConvKernels kConv_avx2;
extern const ConvKernels kConv_sse2;
extern const ConvKernels kConv_neon;

/// What FindConvKernels may know, the fastest first.
inline constexpr const char* kInstructionSets[] = {"avx512", "avx2", "sse2", "neon"};

}  // namespace imgmill
