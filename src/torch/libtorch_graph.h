// A network that is a LayerGraph, on the CPU's kernels and wherever LibTorch is.
#pragma once

#include <memory>

#include "networks/graph_network.h"

namespace imgmill {

/// @param kernels  the CPU's; null where LibTorch is to do its work, too
std::unique_ptr<Network> MakeLibTorchGraph(GraphNetworkParts parts, const ConvKernels* kernels);

}  // namespace imgmill
