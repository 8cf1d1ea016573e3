// Which convolution kernels there are, and which are used.
#pragma once

namespace imgmill {

struct ConvKernels;

/// The kernels of an instruction set ("avx512", "avx2", "sse2"); null where this machine or build lacks it.
const ConvKernels* FindConvKernels(const char* isa);

/// Whether BestConvKernels gives any, from now on: without, LibTorch does all layers.
void ChooseConvKernels(bool ours);
bool ConvKernelsChosen();

/// The fastest of this machine, or those that $IMGMILL_ISA names; null where there are none, or none of that
/// name.
const ConvKernels* BestConvKernels();

}  // namespace imgmill
