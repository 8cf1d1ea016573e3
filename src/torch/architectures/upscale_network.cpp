#include "torch/architectures/upscale_network.h"

#include <map>

#include "base/try.h"
#include "networks/graph_network.h"
#include "networks/kernels/conv_kernels.h"
#include "torch/device_of.h"

namespace imgmill {
namespace {

class UpscaleNetwork final : public Network {
 public:
  UpscaleNetwork(UpscaleNetworkParts parts, std::shared_ptr<const StateDict> weights)
      : parts_(std::move(parts)), weights_(std::move(weights)) {
    parts_.info.tile_grid = TileGrid(parts_.info.tile_grid);
  }

  const ModelInfo& info() const override { return parts_.info; }

  NumericsPlan Plan(const std::string& device_type) const override {
    NumericsPlan plan = UpscalePlan(parts_.info, parts_.tile, parts_.overlap, device_type);
    plan.kernels = LibTorchKernels(device_type);
    if (device_type == "cpu" && parts_.module_kernels != nullptr)
      plan.kernels += std::string("+") + parts_.module_kernels->name;
    return plan;
  }

  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override {
    const c10::Device device = DeviceOf(*slot);
    ModuleNets& nets = nets_[device.str()];
    if (nets.full == nullptr) {
      nets.full = LazyNetAt(device);
      if (!device.is_cpu()) nets.half = LazyNetAt({device, torch::kHalf});
    }
    return MakeModuleExecutor(parts_.info, parts_.bytes, nets, std::move(slot));
  }

  void LetGoOfWeights() override {
    for (const auto& [name, tensor] : weights_->tensors) parts_.info.weight_bytes += tensor.bytes();
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
  std::map<std::string, ModuleNets> nets_;  ///< by memory: "cpu", "cuda:1"
};

}  // namespace

std::unique_ptr<Network> MakeUpscaleNetwork(UpscaleNetworkParts parts,
                                            std::shared_ptr<const StateDict> weights) {
  return std::make_unique<UpscaleNetwork>(std::move(parts), std::move(weights));
}

Result<torch::Tensor> ToTensor(const WeightTensor& weights, const NetPlace& place) {
  Buffer floats = TRY(ToFloats(weights));
  const torch::Tensor view = torch::from_blob(floats.data(), weights.shape, torch::kFloat32);
  return view.to(place.device, place.type, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace imgmill
