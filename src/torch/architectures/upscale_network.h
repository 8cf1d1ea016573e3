// A convolutional network that enlarges images: as a LibTorch module wherever there is one, and on our own
// kernels where they have it.
#pragma once

#include <functional>
#include <memory>

#include "torch/executors/module_executor.h"
#include "torch/kernels/kernel_choice.h"
#include "torch/network.h"
#include "torch/weights/state_dict.h"

namespace imgmill {

class LayerGraph;

/// What an architecture says of it.
struct UpscaleNetworkParts {
  ModelInfo info;
  ModuleBytes bytes;
  std::function<Result<std::shared_ptr<UpscaleNet>>(const StateDict&, const NetPlace&)> build;
  const ConvKernels* module_kernels = nullptr;  ///< of the module's convolutions on the CPU; null: LibTorch's
  /// Side of the square tiles; 0 is the usual one.
  int tile = 0;
  int module_tile = 0;  ///< the same where the module does the work; 0: no other
  /// What tiles overlap by on each side where less than the receptive radius is enough; 0 is all of it. A
  /// global network must say one.
  int overlap = 0;
  /// The network as a graph, which says how far a pixel sees, and the CPU's kernels that run it; null where
  /// LibTorch does the CPU's work, too.
  std::function<Result<std::shared_ptr<const LayerGraph>>(const StateDict&)> graph;
  const ConvKernels* kernels = nullptr;
};

Result<std::unique_ptr<Network>> MakeUpscaleNetwork(UpscaleNetworkParts parts,
                                                    std::shared_ptr<const StateDict> weights);

/// A tensor in that place with a copy of the values.
Result<torch::Tensor> ToTensor(const WeightTensor& weights, const NetPlace& place);

}  // namespace imgmill
