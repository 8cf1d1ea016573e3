// A network on our own kernels, on the CPU.
#pragma once

#include <memory>

#include "torch/kernels/kernel_network.h"
#include "torch/network.h"

namespace imgmill {

/// @param info  of the network, which outlives the executor
std::unique_ptr<Executor> MakeKernelExecutor(const ModelInfo& info,
                                             std::shared_ptr<const KernelNetwork> network,
                                             std::shared_ptr<const DeviceSlot> slot);

}  // namespace imgmill
