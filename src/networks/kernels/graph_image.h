// An image on its way into the first map of a graph, and out of the last one.
#pragma once

#include "networks/kernels/graph_shape.h"

namespace imgmill {

/// One image on its way through a network. Planes of height x width in, enlarged ones of 0..1 out.
struct KernelImage {
  const float* input = nullptr;
  float* output = nullptr;
  int height = 0;
  int width = 0;
};

/// Pixels of a map's row, so many floats apart.
template <typename Float>
struct MapPixels {
  Float* first = nullptr;
  size_t pixel = 0;
};

/// Row y of the first map, of all of its pixels, padding included.
void TakeInRow(const GraphInput& input, const KernelImage& image, const GraphShape& shape, int y,
               const MapPixels<float>& to);

/// All rows of the image that row y of what goes out becomes, margins left out before. @return whether all
/// values were finite
bool PutOutRows(const GraphPlan& plan, const GraphShape& shape, const KernelImage& image, int y,
                const MapPixels<const float>& from);

}  // namespace imgmill
