// The table of architectures, one line each, and loading by it.
#include <algorithm>
#include <cctype>
#include <deque>
#include <iterator>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "networks/graph_network.h"
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/libtorch_graph.h"
#include "torch/libtorch_settings.h"

namespace imgmill {

extern const Architecture& kAestheticHead;
extern const Architecture& kAtd;
extern const Architecture& kCifarResNet;
extern const Architecture& kClipVit;
extern const Architecture& kConvNext;
extern const Architecture& kCraft;
extern const Architecture& kDat;
extern const Architecture& kDctlsa;
extern const Architecture& kDinov2Vit;
extern const Architecture& kDinov3Vit;
extern const Architecture& kDitn;
extern const Architecture& kDrct;
extern const Architecture& kFdat;
extern const Architecture& kHat;
extern const Architecture& kHyperIqa;
extern const Architecture& kIcNet;
extern const Architecture& kLpips;
extern const Architecture& kMobileNet;
extern const Architecture& kNsfwHead;
extern const Architecture& kNsfwVit;
extern const Architecture& kOmniSr;
extern const Architecture& kResNet;
extern const Architecture& kRgt;
extern const Architecture& kScuNet;
extern const Architecture& kSiglipVit;
extern const Architecture& kSrFormer;
extern const Architecture& kSwin2Sr;
extern const Architecture& kSwinIr;
extern const Architecture& kTimmVit;
extern const Architecture& kWatermarkDetector;

namespace {

// One a line.
// clang-format off
const Architecture* const kModules[] = {
    &kAestheticHead,
    &kAtd,
    &kCifarResNet,
    &kClipVit,
    &kConvNext,
    &kCraft,
    &kDat,
    &kDctlsa,
    &kDinov2Vit,
    &kDinov3Vit,
    &kDitn,
    &kDrct,
    &kFdat,
    &kHat,
    &kHyperIqa,
    &kIcNet,
    &kLpips,
    &kMobileNet,
    &kNsfwHead,
    &kNsfwVit,
    &kOmniSr,
    &kResNet,
    &kRgt,
    &kScuNet,
    &kSiglipVit,
    &kSrFormer,
    &kSwin2Sr,
    &kSwinIr,
    &kTimmVit,
    &kWatermarkDetector,
};
// clang-format on

/// One that is a graph, for LibTorch to run where our kernels do not.
class OnGraph final : public Architecture {
 public:
  explicit OnGraph(const GraphArchitecture& graph) : graph_(graph) {}
  std::string_view name() const override { return graph_.name(); }
  std::string_view known_by() const override { return graph_.known_by(); }
  std::vector<Telltales> telltales() const override { return graph_.telltales(); }
  std::string Variant(const StateDict& weights) const override { return graph_.Variant(weights); }
  bool Matches(const StateDict& weights) const override { return graph_.Matches(weights); }
  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    GraphNetworkParts parts = TRY(LoadGraph(graph_, *weights, std::move(info)));
    return MakeLibTorchGraph(std::move(parts), BestConvKernels());
  }

 private:
  const GraphArchitecture& graph_;
};

std::vector<const Architecture*> AllByName() {
  std::vector<const Architecture*> all(std::begin(kModules), std::end(kModules));
  static std::deque<OnGraph> graphs;
  for (const GraphArchitecture* graph : GraphArchitectures()) all.push_back(&graphs.emplace_back(*graph));
  const auto before = [](char one, char other) { return std::tolower(one) < std::tolower(other); };
  std::sort(all.begin(), all.end(), [&](const Architecture* one, const Architecture* other) {
    return std::lexicographical_compare(one->name().begin(), one->name().end(), other->name().begin(),
                                        other->name().end(), before);
  });
  return all;
}

}  // namespace

std::span<const Architecture* const> Architectures() {
  static const std::vector<const Architecture*> all = AllByName();
  return all;
}

namespace {

/// What a network for a task does, and the flag that it is for.
std::string_view UseOf(ModelTask task) {
  switch (task) {
    case ModelTask::kUpscale:
      return "enlarges images (%): use upscale --model";
    case ModelTask::kEmbed:
      return "makes vectors of images (%): use embed --model";
    case ModelTask::kScore:
      return "judges images (%): use filter --scorer";
    case ModelTask::kCompare:
      return "compares images (%): use compare --lpips, or dedup --method lpips --model";
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Network>> LoadStateDict(const std::string& path, int threads,
                                               std::optional<ModelTask> task, const EmbedderRequest& request,
                                               const UpscalerRequest& upscaler) {
  StateDict weights = TRY(ReadStateDict(path));
  // As if the file said it: what the user says wins.
  if (!request.activation.empty()) weights.metadata["activation"] = request.activation;
  TellRequest(upscaler, weights);
  const std::string hint = HintOf(path, weights);
  const Result<const Architecture*> detected = DetectArchitecture(weights);
  if (!detected) return WithHint(detected.error(), hint);
  const Architecture* architecture = *detected;
  const std::string variant = architecture->Variant(weights);
  if (task && *task != architecture->task()) {
    std::string use(UseOf(architecture->task()));
    use.replace(use.find('%'), 1, variant);
    return WeightError("it is a network that " + use);
  }
  ModelInfo info = TRY(CheckedInfo(weights));
  info.architecture = variant;
  if (architecture->task() != ModelTask::kUpscale) info.input.emplace().side = request.side;
  if (request.pairs) info.pair_cells.emplace();
  info.wanted_scale = upscaler.scale;
  info.library = LibTorchVersion();
  info.threads = threads;
  auto network = architecture->Load(std::make_shared<const StateDict>(std::move(weights)), std::move(info));
  if (!network) return WithHint(network.error(), hint);
  return network;
}

}  // namespace imgmill
