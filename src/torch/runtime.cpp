// Devices and models by LibTorch.
#include "torch/runtime.h"

#include <algorithm>
#include <thread>

#include "base/try.h"
#include "networks/device_slots.h"
#include "networks/kernels/conv_kernels.h"
#include "networks/kernels/conv_variants.h"
#include "networks/loaded_model.h"
#include "networks/named_kernels.h"
#include "networks/weights/program_files.h"
#include "networks/weights/state_dict.h"
#include "networks/weights/weight_file.h"
#include "torch/accelerator_device.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/clip_head.h"
#include "torch/architectures/clip_text.h"
#include "torch/compiled_network.h"
#include "torch/device_of.h"
#include "torch/edge.h"
#include "torch/libtorch_settings.h"
#include "torch/onnx/onnx_network.h"
#include "torch/script_network.h"

namespace imgmill {
namespace {

/// A network whose file brings its own code; null for a state dict.
/// @param onnx_side  0: that which the model itself has
Result<std::unique_ptr<Network>> LoadProgram(const std::string& path, int side, int onnx_side) {
  if (IsOnnx(path)) return LoadOnnx(path, onnx_side);
  if (IsCompiled(path)) return LoadCompiled(path, side);
  bool script = TRY(IsTorchScript(path));
  if (script) return LoadScript(path, side);
  return std::unique_ptr<Network>();
}

/// What LibTorch can use now.
AcceleratorFacts FindAccelerators() {
  AcceleratorFacts facts;
  const std::optional<c10::DeviceType> type = at::accelerator::getAccelerator(/*checked=*/false);
  if (!type) return facts;
  facts.type = c10::DeviceTypeName(*type, /*lower_case=*/true);
  facts.count = at::accelerator::deviceCount();
  return facts;
}

class TorchRuntime final : public ModelRuntime {
 public:
  TorchRuntime(MemoryManager& manager, int threads) : manager_(manager), slots_(threads) {}

  std::string version() const override { return LibTorchVersion(); }

  Result<int> AddDevices(const std::string& spec, size_t device_budget) override {
    return AtEdge(Stage::kConfigure, [&]() -> Result<int> {
      TRY(CheckNamedKernels());
      std::vector<DeviceChoice> choices = TRY(ParseDevices(spec, FindAccelerators(), version()));
      return slots_.Add(manager_, choices, device_budget, [](int index) {
        return std::make_unique<AcceleratorDevice>(AcceleratorNumber(index));
      });
    });
  }

  void TakeOver(const std::vector<HostDevice>& devices) override { slots_.TakeOver(devices); }

  Result<std::unique_ptr<UpscaleModel>> LoadUpscaler(const std::string& path,
                                                     const UpscalerRequest& request) override {
    return Load<UpscaleModel>([&]() -> Result<std::unique_ptr<Network>> {
      TRY(CheckEnlarges(path));
      return LoadStateDict(path, slots_.threads(), ModelTask::kUpscale, {}, request);
    });
  }

  Result<std::unique_ptr<BatchModel>> LoadToLook(const std::string& path) override {
    return Load<BatchModel>([&]() -> Result<std::unique_ptr<Network>> {
      std::unique_ptr<Network> program = TRY(LoadProgram(path, ModelInput{}.side, /*onnx_side=*/0));
      if (program != nullptr) return program;
      return LoadStateDict(path, slots_.threads(), std::nullopt);
    });
  }

  KnownArchitectures Known() override {
    KnownArchitectures known;
    for (const Architecture* each : Architectures()) known.each.push_back(each->Known());
    return known;
  }

  Result<std::unique_ptr<EmbeddingModel>> LoadEmbedder(const std::string& path,
                                                       const EmbedderRequest& request) override {
    return Load<EmbeddingModel>([&]() -> Result<std::unique_ptr<Network>> {
      if (request.task != ModelTask::kEmbed) return LoadJudge(path, request);
      const int side = request.side > 0 ? request.side : ModelInput{}.side;
      std::unique_ptr<Network> program = TRY(LoadProgram(path, side, side));
      if (program != nullptr) return program;
      return LoadStateDict(path, slots_.threads(), ModelTask::kEmbed, request);
    });
  }

  Result<std::unique_ptr<TextModel>> LoadTextTower(const std::string& path,
                                                   const EmbedderRequest& request) override {
    return AtEdge(Stage::kConfigure, [&]() -> Result<std::unique_ptr<TextModel>> {
      const PoolScope host(HostPool());
      bool program = IsOnnx(path) || IsCompiled(path);
      if (!program) program = TRY(IsTorchScript(path));
      if (!program) return LoadClipText(path, request);
      return Error{
          Stage::kConfigure, Code::kUsage,
          "it is a program, of which only the images' part is known: texts need the weights of a CLIP with "
          "both towers (.safetensors, .pth)"};
    });
  }

 private:
  /// What is no plain embedding network is only known as published weights.
  Result<std::unique_ptr<Network>> LoadJudge(const std::string& path, const EmbedderRequest& request) {
    if (IsOnnx(path) || IsCompiled(path))
      return WeightError(
          "an ONNX model or a compiled package is taken by embed and match only: give weights");
    std::unique_ptr<Network> network = TRY(LoadStateDict(path, slots_.threads(), request.task, request));
    TRY(PutClipBefore(*network, request.clip, slots_.threads()));
    return network;
  }

  template <typename Model, typename Read>
  Result<std::unique_ptr<Model>> Load(const Read& read) {
    return AtEdge(Stage::kConfigure, [&]() -> Result<std::unique_ptr<Model>> {
      const PoolScope host(HostPool());
      std::unique_ptr<Network> network = TRY(read());
      return std::unique_ptr<Model>(std::make_unique<LoadedModel<Model>>(std::move(network), slots_));
    });
  }

  MemoryManager& manager_;
  DeviceSlots slots_;
};

}  // namespace

std::unique_ptr<ModelRuntime> MakeTorchRuntime(MemoryManager& manager, int threads, KernelChoice kernels) {
  TranslateBy(&TranslateLibTorch);
  ChooseConvKernels(kernels == KernelChoice::kFastest);
  if (threads < 1) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  SetUpLibTorch(threads);
  return std::make_unique<TorchRuntime>(manager, threads);
}

}  // namespace imgmill
