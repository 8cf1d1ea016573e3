#include "torch/libtorch_graph.h"

#include <map>

#include "torch/device_of.h"
#include "torch/executors/graph_net.h"
#include "torch/executors/module_executor.h"

namespace imgmill {
namespace {

class LibTorchGraph final : public GraphNetwork {
 public:
  using GraphNetwork::GraphNetwork;

  NumericsPlan Plan(const std::string& device_type) const override {
    if (device_type == "cpu" && kernels_ != nullptr) return GraphNetwork::Plan(device_type);
    const int tile = parts_.libtorch_tile > 0 ? parts_.libtorch_tile : parts_.tile;
    NumericsPlan plan = UpscalePlan(parts_.info, tile, parts_.overlap, device_type);
    plan.kernels = LibTorchKernels(device_type) + "-graph";
    return plan;
  }

  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override {
    if (SuitsKernels(*slot)) return GraphNetwork::MakeExecutor(std::move(slot));
    const c10::Device device = DeviceOf(*slot);
    ModuleNets& nets = nets_[device.str()];
    if (nets.full == nullptr) {
      nets.full = LazyNetAt(device);
      if (!device.is_cpu()) nets.half = LazyNetAt({device, torch::kHalf});
    }
    const auto bytes = [graph = parts_.graph](int height, int width) {
      return GraphNetBytes(*graph, height, width);
    };
    return MakeModuleExecutor(parts_.info, bytes, nets, std::move(slot));
  }

  void LetGoOfWeights() override {
    const bool copied = nets_.contains("cpu");
    nets_.clear();
    const size_t bytes = copied ? parts_.graph->weight_bytes() : 0;
    GraphNetwork::LetGoOfWeights();
    parts_.info.weight_bytes += bytes;
  }

 private:
  std::shared_ptr<LazyNet> LazyNetAt(const NetPlace& place) const {
    return std::make_shared<LazyNet>(
        place, [graph = parts_.graph](const NetPlace& at) -> Result<std::shared_ptr<UpscaleNet>> {
          return MakeGraphNet(graph, at);
        });
  }

  std::map<std::string, ModuleNets> nets_;  ///< by memory: "cpu", "cuda:1"
};

}  // namespace

std::unique_ptr<Network> MakeLibTorchGraph(GraphNetworkParts parts, const ConvKernels* kernels) {
  return std::make_unique<LibTorchGraph>(std::move(parts), kernels);
}

}  // namespace imgmill
