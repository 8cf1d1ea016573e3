#include "networks/graph_network.h"

#include <algorithm>

#include "base/try.h"
#include "networks/kernel_executor.h"
#include "networks/kernels/conv_kernels.h"

namespace imgmill {
namespace {

// Square tiles of 512 cost 16 % more work than none (they overlap by 20 on each side), and an output of 58
// MB; 256 would cost 34 %, 1024 saves 8 % and takes four times the memory.
constexpr int kTile = 512;
/// Tiles start on multiples of four pixels, where the kernels' own 4x4 blocks start too, in whole images and
/// tiles alike.
constexpr int kTileGrid = 4;
constexpr int kAcceleratorBatch = 4;

int RoundedUp(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

int TileGrid(int own) {
  return std::max(kTileGrid, own);
}

NumericsPlan UpscalePlan(const ModelInfo& info, int tile, int overlap, const std::string& device_type) {
  NumericsPlan plan;
  const int grid = TileGrid(info.tile_grid);
  plan.tile = RoundedUp(tile > 0 ? tile : kTile, grid);
  plan.overlap = RoundedUp(overlap > 0 ? overlap : info.receptive_radius, grid);
  // On the CPU all cores work on one image; a second one in flight would only take memory.
  plan.micro_batch = device_type == "cpu" ? 1 : kAcceleratorBatch;
  return plan;
}

GraphNetwork::GraphNetwork(GraphNetworkParts parts, const ConvKernels* kernels)
    : parts_(std::move(parts)), kernels_(kernels) {
  parts_.info.tile_grid = TileGrid(parts_.info.tile_grid);
}

NumericsPlan GraphNetwork::Plan(const std::string& device_type) const {
  NumericsPlan plan = UpscalePlan(parts_.info, parts_.tile, parts_.overlap, device_type);
  if (kernels_ != nullptr) plan.kernels = kernels_->name;
  return plan;
}

std::unique_ptr<Executor> GraphNetwork::MakeExecutor(std::shared_ptr<const DeviceSlot> slot) {
  return MakeKernelExecutor(parts_.info, *kernels_, parts_.graph, std::move(slot));
}

void GraphNetwork::LetGoOfWeights() {
  parts_.info.weight_bytes += parts_.graph->weight_bytes();
  parts_.graph.reset();
}

const GraphArchitecture* FindGraphArchitecture(StateDict& weights) {
  do {
    for (const GraphArchitecture* architecture : GraphArchitectures()) {
      if (architecture->Matches(weights)) return architecture;
    }
  } while (DropTrainersPrefix(weights));
  return nullptr;
}

Result<GraphNetworkParts> LoadGraph(const GraphArchitecture& architecture, const StateDict& weights,
                                    ModelInfo info) {
  GraphNetworkParts parts = TRY(architecture.Load(weights, std::move(info)));
  const GraphPlan& plan = parts.graph->plan();
  parts.info.scale = plan.scale;
  parts.info.bands = plan.input.bands;
  const int radius = parts.info.receptive_radius = parts.graph->radius();
  if (radius >= 0) parts.overlap = std::min(parts.overlap, radius);
  return parts;
}

}  // namespace imgmill
