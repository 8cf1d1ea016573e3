// A network that enlarges images and is no graph: a LibTorch module.
#pragma once

#include <functional>
#include <memory>

#include "networks/kernels/kernel_choice.h"
#include "networks/network.h"
#include "networks/weights/state_dict.h"
#include "torch/executors/module_executor.h"

namespace imgmill {

/// What an architecture says of it.
struct UpscaleNetworkParts {
  ModelInfo info;
  ModuleBytes bytes;
  std::function<Result<std::shared_ptr<UpscaleNet>>(const StateDict&, const NetPlace&)> build;
  const ConvKernels* module_kernels = nullptr;  ///< of the module's convolutions on the CPU; null: LibTorch's
  /// Side of the square tiles; 0 is the usual one.
  int tile = 0;
  /// What tiles overlap by on each side where less than the receptive radius is enough; 0 is all of it. A
  /// global network must say one.
  int overlap = 0;
};

std::unique_ptr<Network> MakeUpscaleNetwork(UpscaleNetworkParts parts,
                                            std::shared_ptr<const StateDict> weights);

/// A tensor in that place with a copy of the values.
Result<torch::Tensor> ToTensor(const WeightTensor& weights, const NetPlace& place);

}  // namespace imgmill
