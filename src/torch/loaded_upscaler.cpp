// Loading a model, and its forward pass on our kernels or LibTorch's.
#include "torch/loaded_upscaler.h"

#include "torch/edge.h"
#include "torch/libtorch_settings.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

// Square tiles of 512 cost 16 % more work than none (they overlap by 20 on each side), and an output of 58
// MB; 256 would cost 34 %, 1024 saves 8 % and takes four times the memory.
constexpr int kTile = 512;

/// Tiles start on multiples of four pixels, where the kernels' own 4x4 blocks start too, in whole images and
/// tiles alike.
constexpr int kTileGrid = 4;

constexpr int kAcceleratorBatch = 4;

/// What cuDNN and its like may take as workspace beside the tensors.
constexpr size_t kAcceleratorWorkspace = size_t{64} << 20;

int RoundUp(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

Status CheckShape(const ModelInfo& info, int n, int height, int width) {
  if (n > 0 && height > 0 && width > 0 && height % info.size_multiple == 0 &&
      width % info.size_multiple == 0) {
    return {};
  }
  return Error{Stage::kCompute, Code::kInternal,
               "a batch of " + std::to_string(n) + " images of " + std::to_string(width) + "x" +
                   std::to_string(height) + " does not suit " + info.architecture};
}

}  // namespace

Result<std::unique_ptr<UpscaleModel>> LoadedUpscaler::Load(const std::string& path,
                                                           std::shared_ptr<DeviceSlots> slots) {
  const PoolScope host(HostPool());
  std::unique_ptr<LoadedUpscaler> model(new LoadedUpscaler);
  model->slots_ = std::move(slots);
  Result<StateDict> weights = ReadStateDict(path);
  if (!weights) return weights.error();
  model->weights_ = std::move(*weights);
  Result<const Architecture*> architecture = DetectArchitecture(model->weights_);
  if (!architecture) return architecture.error();
  model->architecture_ = *architecture;
  Result<ModelInfo> info = model->architecture_->Describe(model->weights_);
  if (!info) return info.error();
  model->info_ = std::move(*info);
  model->info_.library = LibTorchVersion();
  model->info_.threads = model->slots_->threads();

  Result<WeightFile> file = WeightFile::Open(path);
  if (!file) return file.error();
  Result<std::string> digest = file->Digest();
  if (!digest) return digest.error();
  model->info_.digest = std::move(*digest);

  if (const WinogradKernels* kernels = BestWinogradKernels()) {
    Result<std::unique_ptr<ConvChain>> chain = model->architecture_->BuildChain(model->weights_, *kernels);
    if (!chain) return chain.error();
    model->chain_ = std::move(*chain);
  }
  for (const auto& [name, tensor] : model->weights_.tensors) model->info_.weight_bytes += tensor.data.size();
  if (model->chain_ != nullptr) model->info_.weight_bytes += model->chain_->weight_bytes();
  return std::unique_ptr<UpscaleModel>(std::move(model));
}

NumericsPlan LoadedUpscaler::Plan(const std::string& device_name) const {
  NumericsPlan plan;
  const std::string type = device_name.substr(0, device_name.find(':'));
  const bool cpu = type == "cpu";
  plan.kernels = cpu && chain_ != nullptr ? chain_->kernels().name : cpu ? "libtorch" : "libtorch-" + type;
  if (info_.receptive_radius >= 0) {
    plan.tile = RoundUp(kTile, std::max(kTileGrid, info_.size_multiple));
    plan.overlap = RoundUp(info_.receptive_radius, std::max(kTileGrid, info_.size_multiple));
  }
  // On the CPU all cores work on one image; a second one in flight would only take memory.
  plan.micro_batch = cpu ? 1 : kAcceleratorBatch;
  return plan;
}

size_t LoadedUpscaler::ForwardBytes(int n, int height, int width, int device) const {
  std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
  if (slot == nullptr) slot = slots_->Find(-1);
  if (slot->team != nullptr && chain_ != nullptr) return chain_->WorkBytes(width, slot->team->threads());
  const size_t pixels = static_cast<size_t>(n) * static_cast<size_t>(height) * static_cast<size_t>(width);
  const size_t scale = static_cast<size_t>(info_.scale);
  const size_t in_and_out =
      3 * (1 + 2 * scale * scale) * sizeof(float);  // on the device, the output twice: clamped
  return pixels * (architecture_->BytesPerPixel(weights_) + in_and_out) + kAcceleratorWorkspace;
}

size_t LoadedUpscaler::UnpooledBytes(int device) const {
  const std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
  const bool cpu = slot == nullptr || slot->team != nullptr;
  return cpu && chain_ == nullptr ? kAcceleratorWorkspace : 0;  // oneDNN's, in place of cuDNN's
}

bool LoadedUpscaler::BytesAreExact(int device) const {
  const std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
  return chain_ != nullptr && (slot == nullptr || slot->team != nullptr);
}

Status LoadedUpscaler::Forward(const float* input, float* output, int n, int height, int width, int device) {
  return AtEdge(Stage::kCompute, [&]() -> Status {
    if (Status suits = CheckShape(info_, n, height, width); !suits) return suits;
    const std::shared_ptr<const DeviceSlot> slot = slots_->Find(device);
    if (slot == nullptr) {
      return Error{Stage::kCompute, Code::kInternal,
                   "no device " + std::to_string(device) + " in this runtime"};
    }
    if (slot->team != nullptr && chain_ != nullptr) return RunChain(*slot, input, output, n, height, width);
    return RunLibTorch(*slot, input, output, n, height, width);
  });
}

Status LoadedUpscaler::RunChain(const DeviceSlot& slot, const float* input, float* output, int n, int height,
                                int width) const {
  Buffer work(*slot.pool, chain_->WorkBytes(width, slot.team->threads()));
  const size_t in_floats = 3 * static_cast<size_t>(height) * static_cast<size_t>(width);
  const size_t out_floats = in_floats * static_cast<size_t>(info_.scale * info_.scale);
  for (int i = 0; i < n; ++i) {
    chain_->Run(input, output, height, width, work.data(), *slot.team);
    input += in_floats;
    output += out_floats;
  }
  return {};
}

Result<std::shared_ptr<UpscaleNet>> LoadedUpscaler::NetOn(c10::Device device) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<UpscaleNet>& net = nets_[device.str()];
  if (net == nullptr) {
    const PoolScope host(HostPool());
    Result<std::shared_ptr<UpscaleNet>> built = architecture_->Build(weights_, device);
    if (!built) return built.error();
    (*built)->eval();
    net = std::move(*built);
  }
  return net;
}

Status LoadedUpscaler::RunLibTorch(const DeviceSlot& slot, const float* input, float* output, int n,
                                   int height, int width) {
  const c10::InferenceMode inference;
  // "cpu:0" and "cpu:1" have a part of the cores each.
  const LibTorchThreads threads(slot.team != nullptr ? slot.team->threads() : at::get_num_threads());
  Result<std::shared_ptr<UpscaleNet>> net = NetOn(slot.device);
  if (!net) return net.error();
  const PoolScope pool(slot.pool != nullptr ? *slot.pool : HostPool());
  // from_blob takes no const pointer; the input is only read.
  const torch::Tensor from =
      torch::from_blob(const_cast<float*>(input), {n, 3, height, width}, torch::kFloat32);
  torch::Tensor to =
      torch::from_blob(output, {n, 3, height * info_.scale, width * info_.scale}, torch::kFloat32);
  const torch::Tensor sent = from.to(slot.device).contiguous(torch::MemoryFormat::ChannelsLast);
  to.copy_((*net)->forward(sent).clamp_(0.0, 1.0));
  return {};
}

}  // namespace imgmill
