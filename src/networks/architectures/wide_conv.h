// Convolutions with kernels larger than 3x3, for which a graph has no layer.
#pragma once

#include <string>

#include "networks/graph_builder.h"

namespace imgmill {

/// A kModelError where AddWideConv has no kernels of that side.
/// @param network  "an ArtCNN"
Status CheckWideConv(const std::string& network, int64_t side);

/// A convolution of any such side, that keeps the size: the middle of its kernel, and for each pixel around
/// that a 1x1 one of the map as it is seen from there.
/// @param from  one whole map
/// @param end  a slope, or what is added, and nothing else
FeatureMap AddWideConv(GraphBuilder& graph, const ConvWeights& conv, const FeatureMap& from,
                       const GraphEnd& end = {});

}  // namespace imgmill
