// The compiled variants of the convolution kernels, for the one file that chooses among them.
#pragma once

#include "torch/kernels/conv_kernels.h"

namespace imgmill {

extern const ConvKernels kConv_avx512;
extern const ConvKernels kConv_avx2;
extern const ConvKernels kConv_sse2;

}  // namespace imgmill
