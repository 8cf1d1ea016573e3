// The compiled variants of the Winograd kernels, for the one file that chooses among them.
#pragma once

#include "torch/kernels/winograd.h"

namespace imgmill {

extern const WinogradKernels kWinograd_avx512;
extern const WinogradKernels kWinograd_avx2;
extern const WinogradKernels kWinograd_sse2;

}  // namespace imgmill
