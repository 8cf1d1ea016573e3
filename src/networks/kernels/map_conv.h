// One 3x3 convolution of maps that lie in somebody else's memory, channels last: the convolutions of networks
// whose other layers are LibTorch's.
#pragma once

#include <cstddef>

#include "networks/kernels/conv_kernels.h"

namespace imgmill {

/// Of one image. Pixels of `input` are `pixel` floats apart, rows `row`; `output` is dense.
struct MapConv {
  const float* input = nullptr;
  size_t row = 0;
  size_t pixel = 0;
  float* output = nullptr;
  int height = 0;  ///< of the input
  int width = 0;
  int padding = 1;  ///< zeros around the input: 1, or 0 for an output that is two pixels smaller
  ConvLayer layer;  ///< with packed weights
};

/// How many independent parts the work has.
int MapConvTasks(const MapConv& conv);

/// Floats that one thread needs, 64-byte aligned.
size_t MapConvScratchFloats(const ConvLayer& layer);

void RunMapConv(const ConvKernels& kernels, const MapConv& conv, int task, float* scratch);

}  // namespace imgmill
