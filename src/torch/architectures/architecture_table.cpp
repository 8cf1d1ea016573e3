// The table of architectures, one line each, and loading by it.
#include <filesystem>
#include <set>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "torch/architectures/architecture.h"
#include "torch/libtorch_settings.h"
#include "torch/weights/weight_file.h"

namespace imgmill {

extern const Architecture& kAestheticHead;
extern const Architecture& kArtCnn;
extern const Architecture& kAtd;
extern const Architecture& kBsrn;
extern const Architecture& kCarn;
extern const Architecture& kCifarResNet;
extern const Architecture& kClipVit;
extern const Architecture& kConvNext;
extern const Architecture& kCraft;
extern const Architecture& kDat;
extern const Architecture& kDctlsa;
extern const Architecture& kDinov2Vit;
extern const Architecture& kDinov3Vit;
extern const Architecture& kDitn;
extern const Architecture& kDnCnn;
extern const Architecture& kDrct;
extern const Architecture& kDrUNet;
extern const Architecture& kEdsr;
extern const Architecture& kEfdn;
extern const Architecture& kFbcnn;
extern const Architecture& kFdat;
extern const Architecture& kHat;
extern const Architecture& kHyperIqa;
extern const Architecture& kIcNet;
extern const Architecture& kImdn;
extern const Architecture& kImdnPlus;
extern const Architecture& kLpips;
extern const Architecture& kMobileNet;
extern const Architecture& kMosr;
extern const Architecture& kNafNet;
extern const Architecture& kNsfwHead;
extern const Architecture& kNsfwVit;
extern const Architecture& kOmniSr;
extern const Architecture& kPlksr;
extern const Architecture& kRcan;
extern const Architecture& kRealCugan;
extern const Architecture& kRealPlksr;
extern const Architecture& kResNet;
extern const Architecture& kRfdn;
extern const Architecture& kRgt;
extern const Architecture& kRlfn;
extern const Architecture& kRrdbNet;
extern const Architecture& kSafmn;
extern const Architecture& kSafmnPp;
extern const Architecture& kScuNet;
extern const Architecture& kSeemoRe;
extern const Architecture& kSiglipVit;
extern const Architecture& kSpan;
extern const Architecture& kSrFormer;
extern const Architecture& kSrvggCompact;
extern const Architecture& kSwiftSrgan;
extern const Architecture& kSwin2Sr;
extern const Architecture& kSwinIr;
extern const Architecture& kTimmVit;
extern const Architecture& kWatermarkDetector;

std::span<const Architecture* const> Architectures() {
  // One a line.
  // clang-format off
  static const Architecture* const table[] = {
      &kAestheticHead,
      &kArtCnn,
      &kAtd,
      &kBsrn,
      &kCarn,
      &kCifarResNet,
      &kClipVit,
      &kConvNext,
      &kCraft,
      &kDat,
      &kDctlsa,
      &kDinov2Vit,
      &kDinov3Vit,
      &kDitn,
      &kDnCnn,
      &kDrct,
      &kDrUNet,
      &kEdsr,
      &kEfdn,
      &kFbcnn,
      &kFdat,
      &kHat,
      &kHyperIqa,
      &kIcNet,
      &kImdn,
      &kImdnPlus,
      &kLpips,
      &kMobileNet,
      &kMosr,
      &kNafNet,
      &kNsfwHead,
      &kNsfwVit,
      &kOmniSr,
      &kPlksr,
      &kRcan,
      &kRealCugan,
      &kRealPlksr,
      &kResNet,
      &kRfdn,
      &kRgt,
      &kRlfn,
      &kRrdbNet,
      &kSafmn,
      &kSafmnPp,
      &kScuNet,
      &kSeemoRe,
      &kSiglipVit,
      &kSpan,
      &kSrFormer,
      &kSrvggCompact,
      &kSwiftSrgan,
      &kSwin2Sr,
      &kSwinIr,
      &kTimmVit,
      &kWatermarkDetector,
  };
  // clang-format on
  return table;
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

/// "float32", or the types by the names of all that occur.
std::string StoredAs(const StateDict& weights) {
  std::set<std::string_view> types;
  for (const auto& [name, tensor] : weights.tensors) types.insert(ToString(tensor.type));
  std::string text;
  for (const std::string_view type : types) text.append(text.empty() ? "" : " and ").append(type);
  return text;
}

/// Weights that were made integers by some program: no layer computes with them as they are.
Status CheckFloating(const StateDict& weights) {
  for (const auto& [name, tensor] : weights.tensors) {
    if (name.ends_with(".weight") && tensor.shape.size() > 1 && !IsFloating(tensor.type))
      return WeightError("its tensor " + PrintablePath(name) + " is of " +
                         std::string(ToString(tensor.type)) + ", where floating point weights belong");
  }
  return {};
}

/// "-00001-of-00002" at the end of a name, before the ending: one part of several.
bool IsShard(const std::string& path) {
  const std::string stem = std::filesystem::path(path).stem().string();
  constexpr std::string_view kForm = "-00000-of-00000";
  if (stem.size() < kForm.size()) return false;
  const std::string_view end = std::string_view(stem).substr(stem.size() - kForm.size());
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = end[i] >= '0' && end[i] <= '9';
    if (kForm[i] == '0' ? !digit : end[i] != kForm[i]) return false;
  }
  return true;
}

/// What may be why a network lacks something, to stand behind an error.
std::string Hint(const std::string& path, const StateDict& weights) {
  if (IsShard(path))
    return "; its name says that it is one part of several: join all parts into one file first";
  if (weights.unread.empty()) return {};
  const auto& [name, made_by] = *weights.unread.begin();
  return "; its " + PrintablePath(name) + " is made by " + made_by + ", which is not read";
}

Error With(Error error, const std::string& hint) {
  if (error.code == Code::kModelError) error.message += hint;
  return error;
}

}  // namespace

std::string_view ToString(ModelTask task) {
  switch (task) {
    case ModelTask::kUpscale:
      return "upscale";
    case ModelTask::kEmbed:
      return "embed";
    case ModelTask::kScore:
      return "score";
    case ModelTask::kCompare:
      return "compare";
  }
  return {};
}

Result<std::unique_ptr<Network>> LoadStateDict(const std::string& path, int threads,
                                               std::optional<ModelTask> task, const EmbedderRequest& request,
                                               const UpscalerRequest& upscaler) {
  StateDict weights = TRY(ReadStateDict(path));
  // As if the file said it: what the user says wins.
  if (!request.activation.empty()) weights.metadata["activation"] = request.activation;
  if (upscaler.noise_level) weights.metadata["noise_level"] = std::to_string(*upscaler.noise_level);
  const std::string hint = Hint(path, weights);
  const Result<const Architecture*> detected = DetectArchitecture(weights);
  if (!detected) return With(detected.error(), hint);
  const Architecture* architecture = *detected;
  const std::string variant = architecture->Variant(weights);
  if (task && *task != architecture->task()) {
    std::string use(UseOf(architecture->task()));
    use.replace(use.find('%'), 1, variant);
    return WeightError("it is a network that " + use);
  }
  TRY(CheckFloating(weights));
  TRY(CheckFinite(weights));
  std::string digest = TRY(weights.file->Digest());
  ModelInfo info;
  info.architecture = variant;
  if (architecture->task() != ModelTask::kUpscale) info.input.emplace().side = request.side;
  if (request.pairs) info.pair_cells.emplace();
  info.wanted_scale = upscaler.scale;
  info.digest = std::move(digest);
  info.library = LibTorchVersion();
  info.threads = threads;
  info.tensors = static_cast<int>(weights.tensors.size());
  for (const auto& [name, tensor] : weights.tensors) info.parameters += tensor.count();
  info.stored_as = StoredAs(weights);
  info.taken = weights.taken;
  info.aside = weights.aside;
  auto network = architecture->Load(std::make_shared<const StateDict>(std::move(weights)), std::move(info));
  if (!network) return With(network.error(), hint);
  return network;
}

}  // namespace imgmill
