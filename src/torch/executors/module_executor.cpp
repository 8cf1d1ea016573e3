#include "torch/executors/module_executor.h"

#include <cmath>
#include <cstring>

#include "base/try.h"
#include "networks/edge.h"
#include "torch/device_of.h"
#include "torch/executors/accelerator_stream.h"
#include "torch/executors/libtorch_team.h"
#include "torch/executors/transfer_lane.h"
#include "torch/libtorch_settings.h"

namespace imgmill {

Result<std::shared_ptr<UpscaleNet>> LazyNet::Get() {
  const std::lock_guard lock(mutex_);
  if (net_ == nullptr) {
    const PoolScope host(HostPool());
    std::shared_ptr<UpscaleNet> built = TRY(build_(place_));
    // Other streams do not wait for this one's copies.
    if (!place_.device.is_cpu()) at::accelerator::synchronizeDevice(place_.device.index());
    net_ = std::move(built);
    build_ = nullptr;  // it holds the weights as they were read
  }
  return net_;
}

namespace {

/// Bytes of a pixel in the widest of its forms, four words, that an accelerator copies of pictures; planes,
/// of which there are twelve, are only for what it is tried on.
constexpr size_t kSampleBytes = 8;

/// Of one image of a batch, in floats.
struct BatchSizes {
  BatchSizes(const ModelInfo& info, int height, int width)
      : scale(info.scale),
        input(size_t{3} * static_cast<size_t>(height) * static_cast<size_t>(width)),
        output(input * static_cast<size_t>(scale * scale)) {}
  int64_t scale;
  size_t input, output;
};

/// Infinite and undefined values would become black or white in a picture: they are an error.
Result<torch::Tensor> Clamped(torch::Tensor output, const ModelInfo& info) {
  const auto [least, most] = torch::aminmax(output);
  if (!std::isfinite(least.item<float>()) || !std::isfinite(most.item<float>())) return NotFinite(info);
  return output.clamp_(0.0, 1.0);
}

torch::Tensor Planes(const float* floats, int64_t n, int64_t height, int64_t width) {
  // from_blob takes no const pointer.
  return torch::from_blob(const_cast<float*>(floats), {n, 3, height, width}, torch::kFloat32);
}

class ModuleExecutor final : public Executor {
 public:
  ModuleExecutor(const ModelInfo& info, ModuleBytes bytes, ModuleNets nets,
                 std::shared_ptr<const DeviceSlot> slot)
      : info_(info), bytes_(std::move(bytes)), nets_(std::move(nets)), slot_(std::move(slot)) {}

  BatchCost Cost(int n, int height, int width) const override {
    const BatchSizes sizes(info_, height, width);
    const auto count = static_cast<size_t>(n);
    BatchCost cost;
    // On the device the output is there twice, as it is clamped; beside the host's own tensors of a batch
    // there are none of a single image.
    const size_t shown = info_.bands == 1 ? 3 : 1;
    cost.bytes = count * (shown * bytes_(height, width) + (sizes.input + 2 * sizes.output) * sizeof(float)) +
                 kAcceleratorWorkspace;
    cost.untracked = OnHost() ? kAcceleratorWorkspace : 0;
    if (!OnHost())
      cost.staging =
          TransferLane::HostBytes(count * sizes.input / 3 * kSampleBytes, sizes.output / 3 * kSampleBytes);
    cost.exact = false;
    return cost;
  }
  bool HasHalf() const override { return nets_.half != nullptr; }
  bool TakesSamples() const override { return !OnHost(); }
  /// One is copied while the other is computed.
  int Streams() const override { return OnHost() ? 1 : 2; }
  std::unique_ptr<ModelStream> OpenStream(Precision precision) override;

 private:
  class HostStream;
  bool OnHost() const { return slot_->team != nullptr; }

  const ModelInfo& info_;
  const ModuleBytes bytes_;
  const ModuleNets nets_;
  const std::shared_ptr<const DeviceSlot> slot_;
  LaunchThread launcher_;  ///< an accelerator's
};

class ModuleExecutor::HostStream final : public ModelStream {
 public:
  explicit HostStream(const ModuleExecutor& executor) : on_(executor) {}
  Status Run(std::span<const BatchImage> images, int n, int height, int width) override {
    return AtEdge(Stage::kCompute, [&]() -> Status {
      TRY(CheckShape(on_.info_, images.size(), n, height, width));
      const c10::InferenceMode inference;
      // "cpu:0" and "cpu:1" have a part of the cores each.
      const LibTorchThreads threads(on_.slot_->team->threads());
      LibTorchTeam libtorch(*on_.slot_->team);
      const TeamScope team(libtorch);
      std::shared_ptr<UpscaleNet> net = TRY(on_.nets_.full->Get());
      const PoolScope pool(*on_.slot_->pool);
      const BatchSizes sizes(on_.info_, height, width);
      const auto run = [&](const float* from) {
        return Clamped(Enlarged(*net, on_.info_, Planes(from, n, height, width)), on_.info_);
      };
      if (n == 1) {
        const torch::Tensor output = TRY(run(images[0].input));
        Planes(images[0].output, 1, height * sizes.scale, width * sizes.scale).copy_(output);
        return {};
      }
      Buffer input(HostPool(), static_cast<size_t>(n) * sizes.input * sizeof(float));
      auto* const gathered = reinterpret_cast<float*>(input.data());
      Gather(images, n, sizes.input, gathered);
      const torch::Tensor output = TRY(run(gathered));
      for (size_t i = 0; i < images.size(); ++i) {
        const auto which = static_cast<int64_t>(i);
        Planes(images[i].output, 1, height * sizes.scale, width * sizes.scale)
            .copy_(output.narrow(0, which, 1));
      }
      return {};
    });
  }

 private:
  const ModuleExecutor& on_;
};

std::unique_ptr<ModelStream> ModuleExecutor::OpenStream(Precision precision) {
  if (OnHost()) return std::make_unique<HostStream>(*this);
  return MakeAcceleratorStream(info_, nets_, DeviceOf(*slot_), precision, launcher_);
}

}  // namespace

std::unique_ptr<Executor> MakeModuleExecutor(const ModelInfo& info, ModuleBytes bytes, ModuleNets nets,
                                             std::shared_ptr<const DeviceSlot> slot) {
  return std::make_unique<ModuleExecutor>(info, std::move(bytes), std::move(nets), std::move(slot));
}

}  // namespace imgmill
