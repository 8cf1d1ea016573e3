#include "torch/architectures/embed_network.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "torch/device_of.h"

namespace imgmill {
namespace {

/// Rows from which on a product of matrices no longer waits for its weights (bench/embed.sh).
constexpr int64_t kEnoughRows = 200;

class EmbedNetwork final : public VectorNetwork {
 public:
  EmbedNetwork(ModelInfo info, BuildEmbedNet build, std::shared_ptr<const StateDict> weights)
      : VectorNetwork(std::move(info)), build_(std::move(build)), weights_(std::move(weights)) {
    for (const auto& [name, tensor] : weights_->tensors) {
      info_.weight_bytes += static_cast<size_t>(tensor.count()) * sizeof(float);
    }
  }

  Result<torch::Tensor> Rows(const torch::Tensor& input, c10::Device device) override {
    std::shared_ptr<const EmbedNet> net = TRY(On(device));
    return net->Forward(input).to(torch::kCPU, torch::kFloat32).contiguous();
  }

  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override {
    {
      const std::lock_guard lock(mutex_);
      if (nets_.count(DeviceOf(*slot).str()) == 0) awaited_.insert(DeviceOf(*slot).str());
    }
    return VectorNetwork::MakeExecutor(std::move(slot));
  }

  int BatchOnHost() const override { return batch_on_host_; }

  void LetGoOfWeights() override {
    const std::lock_guard lock(mutex_);
    if (awaited_.empty()) weights_.reset();
  }

 private:
  Result<std::shared_ptr<const EmbedNet>> On(c10::Device device) {
    const std::lock_guard lock(mutex_);
    if (const auto found = nets_.find(device.str()); found != nets_.end()) return found->second;
    const PoolScope host(HostPool());
    std::shared_ptr<const EmbedNet> built = TRY(build_(*weights_, device));
    // Other streams do not wait for this one's copies.
    if (!device.is_cpu()) at::accelerator::synchronizeDevice(device.index());
    nets_.emplace(device.str(), built);
    if (const int64_t rows = built->RowsAnImage(); device.is_cpu() && rows > 0)
      batch_on_host_ = static_cast<int>(std::max<int64_t>(1, kEnoughRows / rows));
    if (awaited_.erase(device.str()) > 0 && awaited_.empty()) weights_.reset();
    return built;
  }

  const BuildEmbedNet build_;
  std::atomic<int> batch_on_host_ = 1;  ///< as the network on the CPU says, which is tried first
  std::mutex mutex_;
  std::shared_ptr<const StateDict> weights_;  ///< as they were read, until each device has its own
  std::map<std::string, std::shared_ptr<const EmbedNet>> nets_;  ///< by memory: "cpu", "cuda:1"
  std::set<std::string> awaited_;  ///< devices with an executor and no network yet
};

}  // namespace

Result<std::unique_ptr<Network>> MakeEmbedNetwork(const ModelInput& input, ModelInfo info,
                                                  BuildEmbedNet build,
                                                  std::shared_ptr<const StateDict> weights) {
  const int wanted = info.input ? info.input->side : 0;
  info.input = input;
  auto network = std::make_unique<EmbedNetwork>(std::move(info), std::move(build), std::move(weights));
  const int side = wanted > 0 ? wanted : input.side;
  TRY(network->TryOnOne(network->info().pair_cells ? 2 * side : side, side));
  return std::unique_ptr<Network>(std::move(network));
}

ModelInput ImageNetInput(int side, int shorter, ResizeFilter filter) {
  ModelInput input;
  input.side = side;
  input.rule = SquareRule::kShorter;
  input.shorter = shorter;
  input.filter = filter;
  input.SetMean({0.485, 0.456, 0.406}, {0.229, 0.224, 0.225});
  return input;
}

ModelInput ClipInput(int side) {
  ModelInput input = ImageNetInput(side, side, ResizeFilter::kCubic);
  input.SetMean({0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711});
  return input;
}

ModelInput PlainInput(int side, ResizeFilter filter) {
  ModelInput input;
  input.side = side;
  input.filter = filter;
  input.SetMean({0.5, 0.5, 0.5}, {0.5, 0.5, 0.5});
  return input;
}

}  // namespace imgmill
