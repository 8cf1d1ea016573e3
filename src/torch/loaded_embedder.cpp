// Loading TorchScript, measuring what a picture costs, and batches on any device.
#include "torch/loaded_embedder.h"

#include <torch/csrc/jit/python/update_graph_executor_opt.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "torch/edge.h"
#include "torch/libtorch_settings.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr int kAcceleratorBatch = 8;

/// What oneDNN or cuDNN may take beside the tensors that are measured.
constexpr size_t kHostWorkspace = size_t{4} << 20;
constexpr size_t kAcceleratorWorkspace = size_t{64} << 20;

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

/// The vectors of n pictures as n rows on the CPU; a script may give anything.
Result<torch::Tensor> Rows(const torch::jit::IValue& given, int n) {
  if (!given.isTensor()) {
    return Error{
        Stage::kCompute, Code::kModelError,
        "the network gives no single tensor but " + given.tagKind() + ": it is no embedding network"};
  }
  const torch::Tensor tensor = given.toTensor();
  if (tensor.dim() < 1 || tensor.size(0) != n || tensor.numel() == 0) {
    std::string shape;
    for (const int64_t side : tensor.sizes()) shape += (shape.empty() ? "" : "x") + std::to_string(side);
    return Error{Stage::kCompute, Code::kModelError,
                 "the network gives a tensor of " + (shape.empty() ? "no dimension" : shape) + " for " +
                     std::to_string(n) + (n == 1 ? " picture" : " pictures (use --batch 1)")};
  }
  return tensor.reshape({n, -1}).to(torch::kCPU, torch::kFloat32).contiguous();
}

}  // namespace

Result<std::unique_ptr<EmbeddingModel>> LoadedEmbedder::Load(const std::string& path, int side,
                                                             std::shared_ptr<DeviceSlots> slots) {
  const PoolScope host(HostPool());
  Result<WeightFile> file = WeightFile::Open(path);
  if (!file) return file.error();
  Result<std::string> digest = file->Digest();
  if (!digest) return digest.error();
  std::unique_ptr<LoadedEmbedder> model(new LoadedEmbedder);
  model->info_.digest = *std::move(digest);
  model->slots_ = std::move(slots);
  model->info_.architecture = "TorchScript";
  model->info_.receptive_radius = -1;  // it looks at the whole picture
  model->info_.library = LibTorchVersion();
  model->info_.threads = 1;  // a picture is one thread's own
  Status loaded = Explained(
      "no TorchScript file that LibTorch can run (a network saved by torch.jit.save is needed; weights "
      "alone, "
      "or a file for the mobile interpreter, do not do)",
      [&] {
        model->net_ = torch::jit::load(path, torch::kCPU);
        model->net_.eval();
        for (const torch::Tensor& weights : model->net_.parameters())
          model->info_.weight_bytes += weights.nbytes();
        for (const torch::Tensor& weights : model->net_.buffers())
          model->info_.weight_bytes += weights.nbytes();
      });
  if (!loaded) return loaded.error();
  if (Status tried = model->TryOnOne(side); !tried) return tried.error();
  return std::unique_ptr<EmbeddingModel>(std::move(model));
}

Status LoadedEmbedder::TryOnOne(int side) {
  const std::string size = std::to_string(side) + "x" + std::to_string(side);
  // What a picture takes is measured in a pool of its own, which may take what the host's has left.
  const PoolStats host = HostPool().Stats();
  Pool measured("trial", host.cap - std::min(host.cap, host.charged - host.cached));
  Status shape;
  Status ran = Explained("the network does not take a picture of 3x" + size + " (see --input-size)", [&] {
    const PoolScope scope(measured);
    const c10::InferenceMode inference;
    const LibTorchThreads one(kOneThread);
    torch::jit::setGraphExecutorOptimize(false);
    Result<torch::Tensor> rows = Rows(net_.forward({torch::zeros({1, 3, side, side})}), 1);
    if (!rows) {
      shape = rows.error();
    } else {
      info_.dimension = static_cast<int>(rows->size(1));
    }
  });
  bytes_a_picture_ = measured.Stats().peak_charged;
  return ran ? shape : ran;
}

NumericsPlan LoadedEmbedder::Plan(const std::string& device_name) const {
  NumericsPlan plan;
  const std::string type = device_name.substr(0, device_name.find(':'));
  plan.kernels = type == "cpu" ? "libtorch" : "libtorch-" + type;
  // On the CPU each picture is a thread's own: batches would only wait for one another.
  plan.micro_batch = type == "cpu" ? 1 : kAcceleratorBatch;
  return plan;
}

int LoadedEmbedder::Streams(int device) const {
  const std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
  return slot != nullptr && slot->team != nullptr ? slot->team->threads() : 1;
}

size_t LoadedEmbedder::ForwardBytes(int n, int height, int width, int device) const {
  const auto count = static_cast<size_t>(n);
  const size_t in_and_out = 3 * static_cast<size_t>(height) * static_cast<size_t>(width) * sizeof(float) +
                            static_cast<size_t>(info_.dimension) * sizeof(float);
  const std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
  const bool cpu = slot == nullptr || slot->team != nullptr;
  // Of a batch, the group's own copies of input and output come on top.
  return count * bytes_a_picture_ + (n > 1 ? count * in_and_out : 0) +
         (cpu ? kHostWorkspace : count * in_and_out + kAcceleratorWorkspace);
}

size_t LoadedEmbedder::UnpooledBytes(int device) const {
  const std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
  return slot == nullptr || slot->team != nullptr ? kHostWorkspace : 0;
}

bool LoadedEmbedder::BytesAreExact(int) const {
  return false;  // of one picture they were measured, of a batch they are a multiple of that
}

torch::jit::Module& LoadedEmbedder::NetOn(c10::Device device) {
  if (device.is_cpu()) return net_;
  const std::lock_guard lock(mutex_);
  auto found = copies_.find(device.str());
  if (found == copies_.end()) {
    const PoolScope host(HostPool());
    torch::jit::Module copy = net_.clone();
    copy.to(device);
    found = copies_.emplace(device.str(), std::move(copy)).first;
  }
  return found->second;
}

Status LoadedEmbedder::Forward(const float* input, float* output, int n, int height, int width, int device) {
  return AtEdge(Stage::kCompute, [&]() -> Status {
    const std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
    if (slot == nullptr) {
      return Error{Stage::kCompute, Code::kInternal,
                   "no device " + std::to_string(device) + " in this runtime"};
    }
    Status shape;
    Status ran = Explained("the network failed", [&] {
      const c10::InferenceMode inference;
      const LibTorchThreads one(kOneThread);
      // The optimising executor rewrites a network after it has watched it: the third picture would be
      // computed otherwise than the first.
      torch::jit::setGraphExecutorOptimize(false);
      torch::jit::Module& net = NetOn(slot->device);
      const PoolScope pool(slot->pool != nullptr ? *slot->pool : HostPool());
      // from_blob takes no const pointer; the input is only read.
      const torch::Tensor from =
          torch::from_blob(const_cast<float*>(input), {n, 3, height, width}, torch::kFloat32);
      Result<torch::Tensor> rows = Rows(net.forward({from.to(slot->device)}), n);
      if (!rows || rows->size(1) != info_.dimension) {
        shape =
            rows ? Error{Stage::kCompute, Code::kModelError, "the network gives vectors of changing length"}
                 : rows.error();
        return;
      }
      std::memcpy(output, rows->const_data_ptr<float>(), rows->nbytes());
    });
    if (ran) return shape;
    Error error = ran.error();
    error.stage = Stage::kCompute;
    return error;
  });
}

}  // namespace imgmill
