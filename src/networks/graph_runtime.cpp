#include "networks/graph_runtime.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "base/try.h"
#include "imgmill/infer/libtorch_location.h"
#include "networks/device_slots.h"
#include "networks/edge.h"
#include "networks/graph_network.h"
#include "networks/kernels/kernel_choice.h"
#include "networks/loaded_model.h"
#include "networks/named_kernels.h"
#include "networks/weights/program_files.h"

namespace imgmill {
namespace {

/// Whether devices by these words can be told without LibTorch.
bool IsForHost(const std::string& spec) {
  for (size_t at = 0; at <= spec.size();) {
    const size_t comma = std::min(spec.find(',', at), spec.size());
    const std::string word = spec.substr(at, comma - at), type = word.substr(0, word.find(':'));
    at = comma + 1;
    if (type != "cpu" && word != "auto" && word != "all") return false;
    if (type != "cpu" && MayHaveAccelerators()) return false;
  }
  return true;
}

/// Whether LibTorch is needed to load that file, or to say what it is.
bool IsForLibTorch(const std::string& path) {
  if (IsProgram(path)) return true;
  bool other = false;
  const Status read = AtEdge(Stage::kConfigure, [&]() -> Status {
    const PoolScope host(HostPool());
    StateDict weights = TRY(ReadStateDict(path));
    other = FindGraphArchitecture(weights) == nullptr;
    return {};
  });
  return read && other;
}

/// What to do about a card that cannot be used, and was not asked for by name.
Error WithoutCard(Error error, const std::string& spec) {
  if ((spec == "auto" || spec == "all") && error.code == Code::kNotFound)
    error.message +=
        ". --device cpu leaves this machine's GPU alone, and does without LibTorch for some models";
  return error;
}

class GraphRuntime final : public ModelRuntime {
 public:
  GraphRuntime(MemoryManager& manager, int threads, OpenLibTorch open)
      : manager_(manager), open_(std::move(open)), slots_(threads) {}

  std::string version() const override {
    return libtorch_ != nullptr ? libtorch_->version() : "imgmill's own kernels";
  }

  Result<int> AddDevices(const std::string& spec, size_t device_budget) override {
    return AtEdge(Stage::kConfigure, [&]() -> Result<int> {
      TRY(CheckNamedKernels());
      if (BestConvKernels() == nullptr || !IsForHost(spec)) {
        const Result<ModelRuntime*> libtorch = LibTorch();
        if (!libtorch) return WithoutCard(libtorch.error(), spec);
        only_libtorch_ = true;
        return (*libtorch)->AddDevices(spec, device_budget);
      }
      std::vector<DeviceChoice> choices = TRY(ParseDevices(spec, {}, version()));
      return slots_.Add(manager_, choices, device_budget, nullptr);
    });
  }
  void TakeOver(const std::vector<HostDevice>& devices) override { slots_.TakeOver(devices); }

  Status Prepare(const std::string& path) override {
    if (only_libtorch_ || LibTorchIsMapped() || !IsForLibTorch(path)) return {};
    TRY(LibTorch());
    return {};
  }

  Result<std::unique_ptr<UpscaleModel>> LoadUpscaler(const std::string& path,
                                                     const UpscalerRequest& request) override {
    TRY(CheckEnlarges(path));
    std::unique_ptr<UpscaleModel> model = TRY(Load<UpscaleModel>(path, request));
    if (model != nullptr) return model;
    ModelRuntime* libtorch = TRY(LibTorch());
    return libtorch->LoadUpscaler(path, request);
  }
  Result<std::unique_ptr<BatchModel>> LoadToLook(const std::string& path) override {
    if (!IsProgram(path)) {
      std::unique_ptr<BatchModel> model = TRY(Load<BatchModel>(path, {}));
      if (model != nullptr) return model;
    }
    ModelRuntime* libtorch = TRY(LibTorch());
    return libtorch->LoadToLook(path);
  }
  KnownArchitectures Known() override {
    const Result<ModelRuntime*> libtorch = LibTorch();
    if (libtorch) return (*libtorch)->Known();
    KnownArchitectures known;
    known.left_out = libtorch.error().message;
    for (const GraphArchitecture* each : GraphArchitectures()) known.each.push_back(each->Known());
    return known;
  }
  Result<std::unique_ptr<EmbeddingModel>> LoadEmbedder(const std::string& path,
                                                       const EmbedderRequest& request) override {
    ModelRuntime* libtorch = TRY(LibTorch());
    return libtorch->LoadEmbedder(path, request);
  }
  Result<std::unique_ptr<TextModel>> LoadTextTower(const std::string& path,
                                                   const EmbedderRequest& request) override {
    ModelRuntime* libtorch = TRY(LibTorch());
    return libtorch->LoadTextTower(path, request);
  }

 private:
  /// The runtime that has LibTorch, on the same devices.
  Result<ModelRuntime*> LibTorch() {
    const std::lock_guard lock(mutex_);
    if (libtorch_ == nullptr) {
      std::unique_ptr<ModelRuntime> opened = TRY(open_());
      libtorch_ = std::move(opened);
      libtorch_->TakeOver(slots_.OnHost());
    }
    return libtorch_.get();
  }

  /// Null for what is no graph.
  template <typename Model>
  Result<std::unique_ptr<Model>> Load(const std::string& path, const UpscalerRequest& request) {
    if (only_libtorch_) return std::unique_ptr<Model>();
    return AtEdge(Stage::kConfigure, [&]() -> Result<std::unique_ptr<Model>> {
      const PoolScope host(HostPool());
      StateDict weights = TRY(ReadStateDict(path));
      TellRequest(request, weights);
      const std::string hint = HintOf(path, weights);
      const GraphArchitecture* const architecture = FindGraphArchitecture(weights);
      if (architecture == nullptr) return std::unique_ptr<Model>();
      ModelInfo info = TRY(CheckedInfo(weights));
      info.architecture = architecture->Variant(weights);
      info.wanted_scale = request.scale;
      info.library = "imgmill";
      info.threads = slots_.threads();
      Result<GraphNetworkParts> parts = LoadGraph(*architecture, weights, std::move(info));
      if (!parts) return WithHint(parts.error(), hint);
      auto network = std::make_unique<GraphNetwork>(*std::move(parts), BestConvKernels());
      return std::unique_ptr<Model>(std::make_unique<LoadedModel<Model>>(std::move(network), slots_));
    });
  }

  MemoryManager& manager_;
  const OpenLibTorch open_;
  DeviceSlots slots_;
  std::mutex mutex_;
  std::unique_ptr<ModelRuntime> libtorch_;
  bool only_libtorch_ = false;  ///< its devices are none of ours
};

}  // namespace

bool NeedsLibTorch(const std::string& path, const std::string& devices) {
  return BestConvKernels() == nullptr || !IsForHost(devices) || IsForLibTorch(path);
}

std::unique_ptr<ModelRuntime> MakeGraphRuntime(MemoryManager& manager, int threads, OpenLibTorch open) {
  ChooseConvKernels(true);
  if (threads < 1) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return std::make_unique<GraphRuntime>(manager, threads, std::move(open));
}

}  // namespace imgmill
