// Devices and models by LibTorch.
#include "torch/runtime.h"

#include <algorithm>
#include <thread>

#include "torch/device_slots.h"
#include "torch/edge.h"
#include "torch/libtorch_settings.h"
#include "torch/loaded_embedder.h"
#include "torch/loaded_upscaler.h"

namespace imgmill {
namespace {

class TorchRuntime final : public ModelRuntime {
 public:
  TorchRuntime(MemoryManager& manager, int threads)
      : manager_(manager), slots_(std::make_shared<DeviceSlots>(threads)) {}

  std::string version() const override { return LibTorchVersion(); }

  Result<int> AddDevices(const std::string& spec, size_t device_budget) override {
    return AtEdge(Stage::kConfigure, [&]() -> Result<int> {
      Result<std::vector<DeviceChoice>> choices = ParseDevices(spec, FindAccelerators(), version());
      if (!choices) return choices.error();
      return slots_->Add(manager_, *choices, device_budget);
    });
  }

  Result<std::unique_ptr<UpscaleModel>> LoadUpscaler(const std::string& path) override {
    return AtEdge(Stage::kConfigure, [&] { return LoadedUpscaler::Load(path, slots_); });
  }

  Result<std::unique_ptr<EmbeddingModel>> LoadEmbedder(const std::string& path, int side) override {
    return AtEdge(Stage::kConfigure, [&] { return LoadedEmbedder::Load(path, side, slots_); });
  }

 private:
  MemoryManager& manager_;
  std::shared_ptr<DeviceSlots> slots_;
};

}  // namespace

std::unique_ptr<ModelRuntime> MakeTorchRuntime(MemoryManager& manager, int threads) {
  if (threads < 1) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  SetUpLibTorch(threads);
  return std::make_unique<TorchRuntime>(manager, threads);
}

}  // namespace imgmill
