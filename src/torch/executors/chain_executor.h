// A chain of convolutions on our own kernels, on the CPU: exact in what it takes, and the same bytes for any
// number of threads.
#pragma once

#include <memory>

#include "torch/kernels/conv_chain.h"
#include "torch/network.h"

namespace imgmill {

/// @param info  of the network, which outlives the executor
std::unique_ptr<Executor> MakeChainExecutor(const ModelInfo& info, std::shared_ptr<const ConvChain> chain,
                                            std::shared_ptr<const DeviceSlot> slot);

}  // namespace imgmill
