// Loading TorchScript, measuring what an image costs, and batches on any device.
#include "torch/script_network.h"

#include <torch/csrc/jit/python/update_graph_executor_opt.h>
#include <torch/script.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>

#include "base/try.h"
#include "torch/edge.h"
#include "torch/libtorch_settings.h"
#include "torch/torch_headers.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr int kAcceleratorBatch = 8;

/// What oneDNN may take beside the tensors that are measured.
constexpr size_t kHostWorkspace = size_t{4} << 20;

/// The telling line of a long message: the interpreter puts a trace of the script in front of the reason.
std::string Reason(std::string_view text) {
  constexpr std::string_view kMark = "RuntimeError: ";
  const size_t mark = text.rfind(kMark);
  if (mark != std::string_view::npos) text.remove_prefix(mark + kMark.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  return std::string(text.substr(0, text.find('\n')));
}

/// Runs a part of the loading. What it throws becomes an error that begins with `what`.
template <typename Body>
Status Explained(const std::string& what, Body&& body) {
  try {
    body();
    return {};
  } catch (const c10::Error& problem) {
    Error error = TranslateException(Stage::kConfigure);
    if (error.code == Code::kModelError)
      error.message = what + ": " + Reason(problem.what_without_backtrace());
    return error;
  } catch (const std::exception& problem) {
    Error error = TranslateException(Stage::kConfigure);
    if (error.code == Code::kModelError) error.message = what + ": " + Reason(problem.what());
    return error;
  }
}

/// Products of matrices, cut for several threads, come out with other last bits for each number of threads.
constexpr int kOneThread = 1;

/// The vectors of n images as n rows on the CPU; a script may give anything.
Result<torch::Tensor> Rows(const torch::jit::IValue& given, int n) {
  if (!given.isTensor()) {
    return Error{
        Stage::kCompute, Code::kModelError,
        "the network returns " + given.tagKind() + ", not a single tensor: it is not an embedding network"};
  }
  const torch::Tensor tensor = given.toTensor();
  if (tensor.dim() < 1 || tensor.size(0) != n || tensor.numel() == 0) {
    std::string shape;
    for (const int64_t side : tensor.sizes()) shape += (shape.empty() ? "" : "x") + std::to_string(side);
    return Error{Stage::kCompute, Code::kModelError,
                 "the network returns a tensor of " + (shape.empty() ? "no dimension" : shape) + " for " +
                     std::to_string(n) + (n == 1 ? " image" : " images (use --batch 1)")};
  }
  return tensor.reshape({n, -1}).to(torch::kCPU, torch::kFloat32).contiguous();
}

class ScriptNetwork final : public Network {
 public:
  explicit ScriptNetwork(std::string digest) {
    info_.architecture = "TorchScript";
    info_.digest = std::move(digest);
    info_.receptive_radius = -1;  // it looks at the whole image
    info_.library = LibTorchVersion();
    info_.threads = kOneThread;  // an image is one thread's own
  }

  Status Read(const std::string& path) {
    return Explained(
        "not a TorchScript file that LibTorch can run (a network saved by torch.jit.save is needed; weights "
        "alone, "
        "or a file for the mobile interpreter, do not work)",
        [&] {
          script_ = torch::jit::load(path, torch::kCPU);
          script_.eval();
          for (const torch::Tensor& weights : script_.parameters()) info_.weight_bytes += weights.nbytes();
          for (const torch::Tensor& weights : script_.buffers()) info_.weight_bytes += weights.nbytes();
        });
  }

  Status TryOnOne(int side) {
    const std::string size = std::to_string(side) + "x" + std::to_string(side);
    // What an image takes is measured in a pool of its own, which may take what the host's has left.
    const PoolStats host = HostPool().Stats();
    Pool measured("trial", host.cap - std::min(host.cap, host.charged - host.cached));
    Status shape;
    Status ran = Explained("the network does not take an image of 3x" + size + " (see --input-size)", [&] {
      const PoolScope scope(measured);
      const c10::InferenceMode inference;
      const LibTorchThreads one(kOneThread);
      torch::jit::setGraphExecutorOptimize(false);
      Result<torch::Tensor> rows = Rows(script_.forward({torch::zeros({1, 3, side, side})}), 1);
      if (!rows) {
        shape = rows.error();
      } else {
        info_.dimension = static_cast<int>(rows->size(1));
      }
    });
    bytes_an_image_ = measured.Stats().peak_charged;
    return ran ? shape : ran;
  }

  const ModelInfo& info() const override { return info_; }
  NumericsPlan Plan(const std::string& device_type) const override {
    NumericsPlan plan;
    plan.kernels = LibTorchKernels(device_type);
    // On the CPU each image is a thread's own: batches would only wait for one another.
    plan.micro_batch = device_type == "cpu" ? 1 : kAcceleratorBatch;
    return plan;
  }
  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override;

  size_t bytes_an_image() const { return bytes_an_image_; }

  torch::jit::Module& On(c10::Device device) {
    if (device.is_cpu()) return script_;
    const std::lock_guard lock(mutex_);
    auto found = copies_.find(device.str());
    if (found == copies_.end()) {
      const PoolScope host(HostPool());
      torch::jit::Module copy = script_.clone();
      copy.to(device);
      found = copies_.emplace(device.str(), std::move(copy)).first;
    }
    return found->second;
  }

 private:
  ModelInfo info_;
  torch::jit::Module script_;  ///< on the CPU
  size_t bytes_an_image_ = 0;  ///< peak of a forward pass of one, measured
  std::mutex mutex_;
  std::map<std::string, torch::jit::Module> copies_;  ///< on other devices
};

class ScriptExecutor final : public Executor {
 public:
  ScriptExecutor(ScriptNetwork& network, std::shared_ptr<const DeviceSlot> slot)
      : network_(network), slot_(std::move(slot)) {}

  BatchCost Cost(int n, int height, int width) const override {
    const auto count = static_cast<size_t>(n);
    const size_t in_and_out = InputFloats(height, width) * sizeof(float) +
                              static_cast<size_t>(network_.info().dimension) * sizeof(float);
    const bool cpu = slot_->team != nullptr;
    BatchCost cost;
    // Of a batch, the stream's own copies of input and output come on top.
    cost.bytes = count * network_.bytes_an_image() + (n > 1 ? count * in_and_out : 0) +
                 (cpu ? kHostWorkspace : count * in_and_out + kAcceleratorWorkspace);
    cost.untracked = cpu ? kHostWorkspace : 0;
    cost.exact = false;  // of one image they were measured, of a batch they are a multiple of that
    return cost;
  }
  int Streams() const override { return slot_->team != nullptr ? slot_->team->threads() : 1; }
  std::unique_ptr<ModelStream> OpenStream() override { return std::make_unique<Stream>(*this); }

 private:
  static size_t InputFloats(int height, int width) {
    return 3 * static_cast<size_t>(height) * static_cast<size_t>(width);
  }

  class Stream final : public ModelStream {
   public:
    explicit Stream(const ScriptExecutor& executor) : on_(executor) {}
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
      // The optimising executor rewrites a network after it has watched it: the third image would be
      // computed otherwise than the first.
      torch::jit::setGraphExecutorOptimize(false);
      torch::jit::Module& script = on_.network_.On(on_.slot_->device);
      const size_t floats = InputFloats(height, width);
      Buffer gathered;
      const float* from = images[0].input;
      if (n > 1) {
        gathered = Buffer(HostPool(), static_cast<size_t>(n) * floats * sizeof(float));
        auto* to = reinterpret_cast<float*>(gathered.data());
        Gather(images, n, floats, to);
        from = to;
      }
      const PoolScope pool(on_.slot_->pool != nullptr ? *on_.slot_->pool : HostPool());
      // from_blob takes no const pointer; the input is only read.
      const torch::Tensor input =
          torch::from_blob(const_cast<float*>(from), {n, 3, height, width}, torch::kFloat32);
      torch::Tensor rows = TRY(Rows(script.forward({input.to(on_.slot_->device)}), n));
      const int64_t dimension = on_.network_.info().dimension;
      if (rows.size(1) != dimension)
        return Error{Stage::kCompute, Code::kModelError, "the network returns vectors of changing length"};
      const float* vector = rows.const_data_ptr<float>();
      for (size_t i = 0; i < images.size(); ++i, vector += dimension)
        std::memcpy(images[i].output, vector, static_cast<size_t>(dimension) * sizeof(float));
      return {};
    }

    const ScriptExecutor& on_;
  };

  ScriptNetwork& network_;
  const std::shared_ptr<const DeviceSlot> slot_;
};

std::unique_ptr<Executor> ScriptNetwork::MakeExecutor(std::shared_ptr<const DeviceSlot> slot) {
  return std::make_unique<ScriptExecutor>(*this, std::move(slot));
}

}  // namespace

Result<std::unique_ptr<Network>> LoadScript(const std::string& path, int side) {
  WeightFile file = TRY(WeightFile::Open(path));
  std::string digest = TRY(file.Digest());
  auto network = std::make_unique<ScriptNetwork>(std::move(digest));
  TRY(network->Read(path));
  TRY(network->TryOnOne(side));
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace imgmill
