#include "torch/architectures/upscale_network.h"

#include <map>

#include "base/try.h"
#include "torch/executors/kernel_executor.h"
#include "torch/kernels/conv_kernels.h"
#include "torch/kernels/layer_graph.h"

namespace imgmill {
namespace {

// Square tiles of 512 cost 16 % more work than none (they overlap by 20 on each side), and an output of 58
// MB; 256 would cost 34 %, 1024 saves 8 % and takes four times the memory.
constexpr int kTile = 512;
/// Tiles start on multiples of four pixels, where the kernels' own 4x4 blocks start too, in whole images and
/// tiles alike.
constexpr int kTileGrid = 4;
constexpr int kAcceleratorBatch = 4;

int RoundUp(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

class UpscaleNetwork final : public Network {
 public:
  UpscaleNetwork(UpscaleNetworkParts parts, std::shared_ptr<const StateDict> weights,
                 std::shared_ptr<const LayerGraph> graph)
      : parts_(std::move(parts)), weights_(std::move(weights)), graph_(std::move(graph)) {
    parts_.info.tile_grid = std::max(kTileGrid, parts_.info.tile_grid);
  }

  const ModelInfo& info() const override { return parts_.info; }

  NumericsPlan Plan(const std::string& device_type) const override {
    NumericsPlan plan;
    const bool cpu = device_type == "cpu";
    plan.kernels = cpu && parts_.kernels != nullptr ? parts_.kernels->name : LibTorchKernels(device_type);
    if (cpu && parts_.kernels == nullptr && parts_.module_kernels != nullptr)
      plan.kernels += std::string("+") + parts_.module_kernels->name;
    const int grid = parts_.info.tile_grid;
    const bool module = !cpu || parts_.kernels == nullptr;
    const int tile = module && parts_.module_tile > 0 ? parts_.module_tile : parts_.tile;
    plan.tile = RoundUp(tile > 0 ? tile : kTile, grid);
    plan.overlap = RoundUp(parts_.overlap > 0 ? parts_.overlap : parts_.info.receptive_radius, grid);
    // On the CPU all cores work on one image; a second one in flight would only take memory.
    plan.micro_batch = cpu ? 1 : kAcceleratorBatch;
    return plan;
  }

  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override {
    if (slot->team != nullptr && parts_.kernels != nullptr) {
      graph_runs_ = true;
      return MakeKernelExecutor(parts_.info, *parts_.kernels, graph_, std::move(slot));
    }
    ModuleNets& nets = nets_[slot->device.str()];
    if (nets.full == nullptr) {
      nets.full = LazyNetAt(slot->device);
      if (!slot->device.is_cpu()) nets.half = LazyNetAt({slot->device, torch::kHalf});
    }
    return MakeModuleExecutor(parts_.info, parts_.bytes, nets, std::move(slot));
  }

  void LetGoOfWeights() override {
    if (graph_runs_) {
      parts_.info.weight_bytes += graph_->weight_bytes();
    } else {
      graph_.reset();
    }
    if (!nets_.empty()) {
      for (const auto& [name, tensor] : weights_->tensors) parts_.info.weight_bytes += tensor.bytes();
    }
    weights_.reset();
    nets_.clear();
  }

 private:
  std::shared_ptr<LazyNet> LazyNetAt(const NetPlace& place) const {
    return std::make_shared<LazyNet>(place, [build = parts_.build, weights = weights_](const NetPlace& at) {
      return build(*weights, at);
    });
  }

  UpscaleNetworkParts parts_;
  std::shared_ptr<const StateDict> weights_;
  std::shared_ptr<const LayerGraph> graph_;
  bool graph_runs_ = false;
  std::map<std::string, ModuleNets> nets_;  ///< by memory: "cpu", "cuda:1"
};

}  // namespace

Result<std::unique_ptr<Network>> MakeUpscaleNetwork(UpscaleNetworkParts parts,
                                                    std::shared_ptr<const StateDict> weights) {
  std::shared_ptr<const LayerGraph> graph;
  if (parts.graph) {
    std::shared_ptr<const LayerGraph> built = TRY(parts.graph(*weights));
    parts.info.receptive_radius = built->radius();
    graph = std::move(built);
  }
  return std::unique_ptr<Network>(
      std::make_unique<UpscaleNetwork>(std::move(parts), std::move(weights), std::move(graph)));
}

Result<torch::Tensor> ToTensor(const WeightTensor& weights, const NetPlace& place) {
  Buffer floats = TRY(ToFloats(weights));
  const torch::Tensor view = torch::from_blob(floats.data(), weights.shape, torch::kFloat32);
  return view.to(place.device, place.type, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace imgmill
