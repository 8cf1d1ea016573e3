#include "torch/executors/module_executor.h"

#include <array>
#include <cmath>
#include <cstring>

#include "base/try.h"
#include "torch/edge.h"
#include "torch/executors/libtorch_team.h"
#include "torch/executors/staging.h"
#include "torch/libtorch_settings.h"

namespace imgmill {

Result<std::shared_ptr<UpscaleNet>> LazyNet::Get() {
  const std::lock_guard lock(mutex_);
  if (net_ == nullptr) {
    const PoolScope host(HostPool());
    std::shared_ptr<UpscaleNet> built = TRY(build_(device_));
    built->eval();
    // Other streams do not wait for this one's copies.
    if (!device_.is_cpu()) at::accelerator::synchronizeDevice(device_.index());
    net_ = std::move(built);
    build_ = nullptr;  // it holds the weights as they were read
  }
  return net_;
}

namespace {

/// Of one image of a batch, in floats.
struct BatchSizes {
  BatchSizes(const ModelInfo& info, int height, int width)
      : scale(info.scale),
        input(size_t{3} * static_cast<size_t>(height) * static_cast<size_t>(width)),
        output(input * static_cast<size_t>(scale * scale)) {}
  int64_t scale;
  size_t input, output;
};

/// The network's output for n x 3 x H x W, clamped. A network for grey is shown each band by itself. Infinite
/// and undefined values would become black or white in a picture: they are an error.
Result<torch::Tensor> Enlarged(UpscaleNet& net, const ModelInfo& info, const torch::Tensor& input) {
  const int64_t n = input.size(0);
  torch::Tensor output;
  if (info.bands == 1) {
    output = net.forward(input.reshape({3 * n, 1, input.size(2), input.size(3)}));
    output = output.reshape({n, 3, output.size(2), output.size(3)});
  } else {
    output = net.forward(input.contiguous(torch::MemoryFormat::ChannelsLast));
  }
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
  ModuleExecutor(const ModelInfo& info, ModuleBytes bytes, std::shared_ptr<LazyNet> net,
                 std::shared_ptr<const DeviceSlot> slot)
      : info_(info), bytes_(std::move(bytes)), net_(std::move(net)), slot_(std::move(slot)) {}

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
      cost.staging = Staging::BytesFor(count * sizes.input) + 2 * Staging::BytesFor(sizes.output);
    cost.exact = false;
    return cost;
  }
  // A second stream on an accelerator, with a queue of its own, gave 6 % on an H100 and took 64 MiB there
  // that no limit of LibTorch's holds back.
  std::unique_ptr<ModelStream> OpenStream() override;

 private:
  class HostStream;
  class AcceleratorStream;
  bool OnHost() const { return slot_->team != nullptr; }

  const ModelInfo& info_;
  const ModuleBytes bytes_;
  const std::shared_ptr<LazyNet> net_;
  const std::shared_ptr<const DeviceSlot> slot_;
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
      std::shared_ptr<UpscaleNet> net = TRY(on_.net_->Get());
      const PoolScope pool(*on_.slot_->pool);
      const BatchSizes sizes(on_.info_, height, width);
      const auto run = [&](const float* from) {
        return Enlarged(*net, on_.info_, Planes(from, n, height, width));
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

class ModuleExecutor::AcceleratorStream final : public ModelStream {
 public:
  explicit AcceleratorStream(const ModuleExecutor& executor) : on_(executor) {}

  Status Run(std::span<const BatchImage> images, int n, int height, int width) override {
    return AtEdge(Stage::kCompute, [&]() -> Status {
      TRY(CheckShape(on_.info_, images.size(), n, height, width));
      const c10::InferenceMode inference;
      const PoolScope pool(HostPool());
      const c10::Device device = on_.slot_->device;
      std::shared_ptr<UpscaleNet> net = TRY(on_.net_->Get());
      const BatchSizes sizes(on_.info_, height, width);
      const torch::Tensor staged = staged_input_.Floats(n * static_cast<int64_t>(sizes.input));
      Gather(images, n, sizes.input, staged.mutable_data_ptr<float>());
      const torch::Tensor sent = staged.view({n, 3, height, width}).to(device, /*non_blocking=*/true);
      const torch::Tensor output = TRY(Enlarged(*net, on_.info_, sent));
      CopyBack(output.contiguous(), images, sizes);
      return {};
    });
  }

 private:
  /// While an image is on its way to one staging buffer, the one before it leaves the other.
  void CopyBack(const torch::Tensor& output, std::span<const BatchImage> images, const BatchSizes& sizes) {
    const auto floats = static_cast<int64_t>(sizes.output);
    const c10::Stream queue = c10::impl::VirtualGuardImpl(output.device().type()).getStream(output.device());
    std::array<torch::Tensor, 2> staged;
    const auto arrived = [&](size_t i) {
      events_[i % 2].synchronize();
      std::memcpy(images[i].output, staged[i % 2].const_data_ptr<float>(), sizes.output * sizeof(float));
    };
    for (size_t i = 0; i < images.size(); ++i) {
      torch::Tensor& to = staged[i % 2];
      if (!to.defined()) to = staged_output_[i % 2].Floats(floats);
      to.copy_(output[static_cast<int64_t>(i)].view({floats}), /*non_blocking=*/true);
      events_[i % 2].record(queue);
      if (i > 0) arrived(i - 1);
    }
    arrived(images.size() - 1);
  }

  const ModuleExecutor& on_;
  Staging staged_input_;
  std::array<Staging, 2> staged_output_;
  std::array<c10::Event, 2> events_{c10::Event(on_.slot_->device.type()),
                                    c10::Event(on_.slot_->device.type())};
};

std::unique_ptr<ModelStream> ModuleExecutor::OpenStream() {
  if (OnHost()) return std::make_unique<HostStream>(*this);
  return std::make_unique<AcceleratorStream>(*this);
}

}  // namespace

std::unique_ptr<Executor> MakeModuleExecutor(const ModelInfo& info, ModuleBytes bytes,
                                             std::shared_ptr<LazyNet> net,
                                             std::shared_ptr<const DeviceSlot> slot) {
  return std::make_unique<ModuleExecutor>(info, std::move(bytes), std::move(net), std::move(slot));
}

}  // namespace imgmill
