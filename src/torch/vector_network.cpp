// What an image costs a network that gives vectors, and batches on any device.
#include "torch/vector_network.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/try.h"
#include "networks/edge.h"
#include "networks/kernels/conv_kernels.h"
#include "networks/kernels/worker_team.h"
#include "torch/device_of.h"
#include "torch/libtorch_settings.h"

namespace imgmill {
namespace {

constexpr int kAcceleratorBatch = 8;

/// Products of matrices, cut for several threads, come out with other last bits for each number of threads.
constexpr int kOneThread = 1;

class VectorExecutor final : public Executor {
 public:
  VectorExecutor(VectorNetwork& network, std::shared_ptr<const DeviceSlot> slot)
      : network_(network), slot_(std::move(slot)) {}

  BatchCost Cost(int n, int height, int width) const override {
    const auto count = static_cast<size_t>(n);
    const size_t in_and_out = InputFloats(height, width) * sizeof(float) +
                              static_cast<size_t>(network_.info().dimension) * sizeof(float);
    const size_t at_once = OnHost() ? std::min(count, static_cast<size_t>(network_.BatchOnHost())) : count;
    BatchCost cost;
    cost.bytes = at_once * network_.bytes_an_image();
    if (OnHost()) {
      cost.bytes += (at_once > 1 ? at_once * in_and_out : 0) + kHostWorkspace;
    } else {
      cost.bytes += count * (n > 1 ? 2 : 1) * in_and_out + kAcceleratorWorkspace;
    }
    cost.untracked = OnHost() ? kHostWorkspace : 0;
    cost.exact = false;  // of one image they were measured, of a batch they are a multiple of that
    return cost;
  }
  int Streams() const override { return OnHost() ? slot_->team->threads() : 1; }
  std::unique_ptr<ModelStream> OpenStream(Precision) override { return std::make_unique<Stream>(*this); }

 private:
  bool OnHost() const { return slot_->team != nullptr; }
  static size_t InputFloats(int height, int width) {
    return 3 * static_cast<size_t>(height) * static_cast<size_t>(width);
  }

  class Stream final : public ModelStream {
   public:
    explicit Stream(const VectorExecutor& executor) : on_(executor) {}
    Status Run(std::span<const BatchImage> images, int n, int height, int width) override {
      return AtEdge(Stage::kCompute, [&]() -> Status {
        TRY(CheckShape(on_.network_.info(), images.size(), n, height, width));
        Status shape;
        Status ran = Explained("the network failed", [&] { shape = Forward(images, n, height, width); });
        if (ran) return shape;
        Error error = ran.error();
        error.stage = Stage::kCompute;
        return error;
      });
    }

   private:
    Status Forward(std::span<const BatchImage> images, int n, int height, int width) {
      const c10::InferenceMode inference;
      const LibTorchThreads one(kOneThread);
      if (on_.OnHost()) {
        const TeamScope kernels(alone_);
        const auto most = static_cast<size_t>(on_.network_.BatchOnHost());
        for (; !images.empty(); images = images.subspan(std::min(most, images.size()))) {
          const auto some = images.first(std::min(most, images.size()));
          TRY(Batch(some, static_cast<int>(some.size()), height, width));
        }
        return {};
      }
      return Batch(images, n, height, width);
    }

    Status Batch(std::span<const BatchImage> images, int n, int height, int width) {
      if (n == 1) return Rows(images[0].input, images, n, height, width);
      const size_t floats = InputFloats(height, width);
      Buffer gathered(HostPool(), static_cast<size_t>(n) * floats * sizeof(float));
      auto* to = reinterpret_cast<float*>(gathered.data());
      Gather(images, n, floats, to);
      return Rows(to, images, n, height, width);
    }

    /// Of n images one after the other.
    Status Rows(const float* from, std::span<const BatchImage> images, int n, int height, int width) {
      const PoolScope pool(on_.slot_->pool != nullptr ? *on_.slot_->pool : HostPool());
      // from_blob takes no const pointer; the input is only read.
      const torch::Tensor input =
          torch::from_blob(const_cast<float*>(from), {n, 3, height, width}, torch::kFloat32);
      torch::Tensor rows = TRY(on_.network_.Rows(input.to(DeviceOf(*on_.slot_)), DeviceOf(*on_.slot_)));
      const int64_t dimension = on_.network_.info().dimension;
      if (rows.size(1) != dimension)
        return Error{Stage::kCompute, Code::kModelError, "the network returns vectors of changing length"};
      const float* vector = rows.const_data_ptr<float>();
      for (size_t i = 0; i < images.size(); ++i, vector += dimension)
        std::memcpy(images[i].output, vector, static_cast<size_t>(dimension) * sizeof(float));
      return {};
    }

    const VectorExecutor& on_;
    WorkerTeam alone_{kOneThread};  ///< of the caller only: what lets layers use our kernels
  };

  VectorNetwork& network_;
  const std::shared_ptr<const DeviceSlot> slot_;
};

}  // namespace

std::string Reason(std::string_view text) {
  constexpr std::string_view kMark = "RuntimeError: ";
  const size_t mark = text.rfind(kMark);
  if (mark != std::string_view::npos) text.remove_prefix(mark + kMark.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  return std::string(text.substr(0, text.find('\n')));
}

VectorNetwork::VectorNetwork(ModelInfo info) : info_(std::move(info)) {
  info_.receptive_radius = -1;  // it looks at the whole image
  info_.library = LibTorchVersion();
  info_.threads = kOneThread;  // an image is one thread's own
}

Status VectorNetwork::TryOnOne(int height, int width) {
  const std::string size = std::to_string(height) + "x" + std::to_string(width);
  const std::string refusal = "the network does not take an image of 3x" + size + " (see embed --input-size)";
  Status shape;
  Status ran = ExplainedAndMeasured(refusal, bytes_an_image_, [&] {
    const c10::InferenceMode inference;
    const LibTorchThreads one(kOneThread);
    Result<torch::Tensor> rows = Rows(torch::zeros({1, 3, height, width}), torch::kCPU);
    if (!rows) {
      shape = rows.error();
    } else {
      info_.dimension = static_cast<int>(rows->size(1));
    }
  });
  return ran ? shape : ran;
}

NumericsPlan VectorNetwork::Plan(const std::string& device_type) const {
  NumericsPlan plan;
  plan.kernels = LibTorchKernels(device_type);
  // The vectors of our kernels, which are the usual ones, are no answer to who asks for the reference.
  if (device_type == "cpu" && !ConvKernelsChosen()) plan.kernels += "-reference";
  plan.micro_batch = device_type == "cpu" ? BatchOnHost() : kAcceleratorBatch;
  return plan;
}

std::unique_ptr<Executor> VectorNetwork::MakeExecutor(std::shared_ptr<const DeviceSlot> slot) {
  return std::make_unique<VectorExecutor>(*this, std::move(slot));
}

}  // namespace imgmill
