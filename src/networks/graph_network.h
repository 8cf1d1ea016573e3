// A network that is a LayerGraph, on our own kernels.
#pragma once

#include <memory>
#include <string>

#include "networks/graph_architecture.h"
#include "networks/network.h"

namespace imgmill {

/// What tiles start on multiples of.
/// @param own  what the network itself asks for
int TileGrid(int own);

/// The plan of a network that enlarges.
/// @param tile, overlap  as GraphNetworkParts has them
NumericsPlan UpscalePlan(const ModelInfo& info, int tile, int overlap, const std::string& device_type);

class GraphNetwork : public Network {
 public:
  /// @param kernels  the CPU's; null where another is to do its work, too
  GraphNetwork(GraphNetworkParts parts, const ConvKernels* kernels);

  const ModelInfo& info() const override { return parts_.info; }
  NumericsPlan Plan(const std::string& device_type) const override;
  /// Of a slot that the kernels are for.
  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override;
  void LetGoOfWeights() override;

 protected:
  bool SuitsKernels(const DeviceSlot& slot) const { return slot.team != nullptr && kernels_ != nullptr; }

  GraphNetworkParts parts_;
  const ConvKernels* const kernels_;
};

/// Looks among the architectures that are graphs, by the names as they are and without what training programs
/// put in front of all of them, which is dropped. Null for any other state dict.
const GraphArchitecture* FindGraphArchitecture(StateDict& weights);

/// Loads an architecture's weights. Errors: kModelError, and those of reading.
/// @param info  as InfoOf says it, and the wanted scale
/// @throws OutOfMemory
Result<GraphNetworkParts> LoadGraph(const GraphArchitecture& architecture, const StateDict& weights,
                                    ModelInfo info);

}  // namespace imgmill
