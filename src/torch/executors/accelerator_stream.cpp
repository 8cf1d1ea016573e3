#include "torch/executors/accelerator_stream.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/try.h"
#include "networks/edge.h"
#include "torch/executors/sample_tensors.h"
#include "torch/executors/transfer_lane.h"

namespace imgmill {
namespace {

/// What one batch is: its images' bytes on the host, and what the device makes of the one block for the
/// other.
struct DeviceBatch {
  size_t input_bytes = 0, output_bytes = 0;  ///< of an image
  bool full_precision = false;               ///< whatever the stream's is
  /// Enlarges n images. @return for each pass and image whether all its values are finite
  std::function<torch::Tensor(UpscaleNet&, c10::ScalarType, const torch::Tensor& from,
                              const torch::Tensor& to)>
      compute;
};

/// Of n x 3 x height x width, n truths. Neither reduction makes a copy, and both give what is not a number.
torch::Tensor Finite(const torch::Tensor& planes) {
  return planes.amax({1, 2, 3}).isfinite().logical_and_(planes.amin({1, 2, 3}).isfinite());
}

class AcceleratorStream final : public ModelStream {
 public:
  AcceleratorStream(const ModelInfo& info, ModuleNets nets, c10::Device device, Precision precision,
                    LaunchThread& launcher)
      : info_(info), nets_(std::move(nets)), precision_(precision), launcher_(launcher), lane_(device) {}

  Status Run(std::span<const BatchImage> images, int n, int height, int width) override {
    std::vector<SampleImage> bytes;
    for (const BatchImage& image : images)
      bytes.push_back(
          {reinterpret_cast<const std::byte*>(image.input), reinterpret_cast<std::byte*>(image.output)});
    const int64_t scale = info_.scale;
    DeviceBatch batch;
    batch.full_precision = true;
    batch.input_bytes = 3 * sizeof(float) * static_cast<size_t>(height) * static_cast<size_t>(width);
    batch.output_bytes = batch.input_bytes * static_cast<size_t>(scale * scale);
    batch.compute = [&](UpscaleNet& net, c10::ScalarType, const torch::Tensor& from,
                        const torch::Tensor& to) {
      const torch::Tensor input = from.view(torch::kFloat32).view({n, 3, height, width});
      const torch::Tensor output = Enlarged(net, info_, input);
      to.view(torch::kFloat32).view({n, 3, height * scale, width * scale}).copy_(output).clamp_(0.0, 1.0);
      return Finite(output).unsqueeze(0);
    };
    return RunBatch(bytes, batch, n, height, width);
  }

  Status RunSamples(std::span<const SampleImage> images, const SampleForm& form, int n, int height,
                    int width) override {
    const int64_t scale = info_.scale;
    DeviceBatch batch;
    batch.input_bytes = form.Bytes(height, width);
    batch.output_bytes = batch.input_bytes * static_cast<size_t>(scale * scale);
    batch.full_precision = form.bits > 8;  // half has 11 bits
    batch.compute = [&](UpscaleNet& net, c10::ScalarType type, const torch::Tensor& from,
                        const torch::Tensor& to) {
      const c10::ScalarType samples = SampleType(form);
      const torch::Tensor input = from.view(samples).view({n, height, width, form.bands});
      const torch::Tensor output = to.view(samples).view({n, height * scale, width * scale, form.bands});
      std::vector<torch::Tensor> finite;
      {
        const torch::Tensor colours = Enlarged(net, info_, ColourPlanes(input, form, type));
        finite.push_back(Finite(colours));
        RoundColours(colours, form, output);
      }
      if (form.has_alpha()) {
        const torch::Tensor alpha = Enlarged(net, info_, AlphaPlanes(input, form, type));
        finite.push_back(Finite(alpha));
        RoundAlpha(alpha, form, output);
      }
      return torch::stack(finite);
    };
    return RunBatch(images, batch, n, height, width);
  }

  int64_t beyond_half() const override { return beyond_half_; }

 private:
  Status RunBatch(std::span<const SampleImage> images, const DeviceBatch& batch, int n, int height,
                  int width) {
    return AtEdge(Stage::kCompute, [&]() -> Status {
      TRY(CheckShape(info_, images.size(), n, height, width));
      const bool half = precision_ == Precision::kHalf && !batch.full_precision;
      std::vector<SampleImage> left(images.begin(), images.end());
      if (half) {
        // What exceeds half precision's 65504 somewhere inside the network is not lost: it has the other.
        std::vector<SampleImage> beyond = TRY(Through(*nets_.half, left, batch, n));
        left = std::move(beyond);
        beyond_half_ += static_cast<int64_t>(left.size());
        if (left.empty()) return {};
      }
      const std::vector<SampleImage> beyond = TRY(Through(*nets_.full, left, batch, n));
      return beyond.empty() ? Status() : NotFinite(info_);
    });
  }

  /// @return the images that have values which are infinite or not numbers
  Result<std::vector<SampleImage>> Through(LazyNet& net, std::span<const SampleImage> images,
                                           const DeviceBatch& batch, int n) {
    const c10::InferenceMode inference;
    const PoolScope pool(HostPool());
    const auto count = static_cast<size_t>(n);
    const std::span<std::byte> staged = lane_.Input(count * batch.input_bytes);
    for (size_t i = 0; i < count; ++i)
      std::memcpy(staged.data() + i * batch.input_bytes, images[i < images.size() ? i : 0].input,
                  batch.input_bytes);
    const torch::Tensor from = lane_.Send();
    const torch::Tensor to = lane_.Output(count * batch.output_bytes);
    torch::Tensor finite;
    const Status launched = launcher_.Do([&] {
      return AtEdge(Stage::kCompute, [&]() -> Status {
        const c10::InferenceMode inferring;
        const PoolScope host(HostPool());
        std::shared_ptr<UpscaleNet> module = TRY(net.Get());
        lane_.Arrived();
        finite = batch.compute(*module, net.type(), from, to);
        lane_.Computed();
        return {};
      });
    });
    if (!launched) return launched.error();
    const torch::Tensor truths =
        lane_.Receive(images.size(), batch.output_bytes, finite,
                      [&](size_t i, size_t offset, std::span<const std::byte> bytes) {
                        std::memcpy(images[i].output + offset, bytes.data(), bytes.size());
                      });
    const torch::Tensor all = truths.all(0);
    std::vector<SampleImage> beyond;
    for (size_t i = 0; i < images.size(); ++i) {
      if (!all[static_cast<int64_t>(i)].item<bool>()) beyond.push_back(images[i]);
    }
    return beyond;
  }

  const ModelInfo& info_;
  const ModuleNets nets_;
  const Precision precision_;
  LaunchThread& launcher_;
  TransferLane lane_;
  int64_t beyond_half_ = 0;
};

}  // namespace

torch::Tensor Enlarged(UpscaleNet& net, const ModelInfo& info, const torch::Tensor& input) {
  if (info.bands != 1) return net.forward(input.contiguous(torch::MemoryFormat::ChannelsLast));
  const int64_t n = input.size(0);
  const torch::Tensor output = net.forward(input.reshape({3 * n, 1, input.size(2), input.size(3)}));
  return output.reshape({n, 3, output.size(2), output.size(3)});
}

std::unique_ptr<ModelStream> MakeAcceleratorStream(const ModelInfo& info, const ModuleNets& nets,
                                                   c10::Device device, Precision precision,
                                                   LaunchThread& launcher) {
  return std::make_unique<AcceleratorStream>(info, nets, device, precision, launcher);
}

}  // namespace imgmill
