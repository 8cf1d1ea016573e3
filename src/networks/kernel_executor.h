// A network on our own kernels, on the CPU.
#pragma once

#include <memory>

#include "networks/kernels/layer_graph.h"
#include "networks/network.h"

namespace imgmill {

/// @param info  of the network, which outlives the executor
std::unique_ptr<Executor> MakeKernelExecutor(const ModelInfo& info, const ConvKernels& kernels,
                                             std::shared_ptr<const LayerGraph> graph,
                                             std::shared_ptr<const DeviceSlot> slot);

}  // namespace imgmill
