// The table of architectures, one line each, and loading by it.
#include <algorithm>
#include <iterator>
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
extern const Architecture& kDat;
extern const Architecture& kDinov2Vit;
extern const Architecture& kDinov3Vit;
extern const Architecture& kDrct;
extern const Architecture& kEdsr;
extern const Architecture& kEfdn;
extern const Architecture& kFdat;
extern const Architecture& kHat;
extern const Architecture& kHyperIqa;
extern const Architecture& kIcNet;
extern const Architecture& kImdn;
extern const Architecture& kImdnPlus;
extern const Architecture& kLpips;
extern const Architecture& kMobileNet;
extern const Architecture& kMosr;
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
extern const Architecture& kSiglipVit;
extern const Architecture& kSpan;
extern const Architecture& kSrFormer;
extern const Architecture& kSrvggCompact;
extern const Architecture& kSwin2Sr;
extern const Architecture& kSwinIr;
extern const Architecture& kTimmVit;

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
      &kDat,
      &kDinov2Vit,
      &kDinov3Vit,
      &kDrct,
      &kEdsr,
      &kEfdn,
      &kFdat,
      &kHat,
      &kHyperIqa,
      &kIcNet,
      &kImdn,
      &kImdnPlus,
      &kLpips,
      &kMobileNet,
      &kMosr,
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
      &kSiglipVit,
      &kSpan,
      &kSrFormer,
      &kSrvggCompact,
      &kSwin2Sr,
      &kSwinIr,
      &kTimmVit,
  };
  // clang-format on
  return table;
}

namespace {

/// What training programs put in front of all names. None of them may belong to the network itself, so that
/// each is only dropped where the names as they are match nothing.
constexpr std::string_view kPrefixes[] = {"netG.",     "net_g.",  "generator.", "ema.", "model.",
                                          "backbone.", "visual.", "module.",    "net."};

const Architecture* Match(const StateDict& weights) {
  for (const Architecture* architecture : Architectures()) {
    if (architecture->Matches(weights)) return architecture;
  }
  return nullptr;
}

/// The first layer whose bias is there and whose weight is not.
std::string LayerWithoutWeight(const StateDict& weights) {
  constexpr std::string_view kBias = ".bias";
  for (const auto& [name, tensor] : weights.tensors) {
    if (!name.ends_with(kBias)) continue;
    std::string weight = name.substr(0, name.size() - kBias.size()) + ".weight";
    if (weights.Find(weight) == nullptr) return weight;
  }
  return {};
}

/// The architecture of whose telltale tensors the greatest share is there, and which are not.
std::string NearestText(const StateDict& weights) {
  double most = 0;
  std::string text;
  for (const Architecture* architecture : Architectures()) {
    for (const Telltales& names : architecture->telltales()) {
      std::string there, missing;
      size_t found = 0;
      for (const std::string_view name : names) {
        const bool has = weights.Find(name) != nullptr;
        found += has;
        std::string& list = has ? there : missing;
        list.append(list.empty() ? "" : ", ").append(name);
      }
      const double share = static_cast<double>(found) / static_cast<double>(names.size());
      if (share <= most) continue;
      most = share;
      text = "; the nearest is " + std::string(architecture->name()) + ": " + there + " would be its own, ";
      if (missing.empty()) missing = LayerWithoutWeight(weights);
      text +=
          missing.empty() ? "but shapes or other tensors do not fit" : PrintablePath(missing) + " is missing";
    }
  }
  return text;
}

std::string FirstNames(const StateDict& weights) {
  constexpr size_t kShown = 3;
  std::string names;
  size_t shown = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    if (shown++ == kShown) return names + ", ...";
    names += (names.empty() ? "" : ", ") + PrintablePath(name);
  }
  return names;
}

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

Result<const Architecture*> DetectArchitecture(StateDict& weights) {
  if (const Architecture* found = Match(weights)) return found;
  const size_t count = weights.tensors.size();
  std::string reason = (count == 1 ? "its one tensor (" : "its " + std::to_string(count) + " tensors (") +
                       FirstNames(weights) + (count == 1 ? ") matches no" : ") match no") +
                       " architecture that imgmill knows" + NearestText(weights) +
                       " (`imgmill models` lists what is known)";
  const auto drop_one = [&] {
    return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                       [&](std::string_view prefix) { return DropPrefix(weights, prefix); });
  };
  while (drop_one()) {
    if (const Architecture* found = Match(weights)) return found;
  }
  return WeightError(std::move(reason));
}

Result<std::unique_ptr<Network>> LoadStateDict(const std::string& path, int threads,
                                               std::optional<ModelTask> task, const EmbedderRequest& request,
                                               int scale) {
  StateDict weights = TRY(ReadStateDict(path));
  // As if the file said it: what the user says wins.
  if (!request.activation.empty()) weights.metadata["activation"] = request.activation;
  const Architecture* architecture = TRY(DetectArchitecture(weights));
  const std::string variant = architecture->Variant(weights);
  if (task && *task != architecture->task()) {
    std::string use(UseOf(architecture->task()));
    use.replace(use.find('%'), 1, variant);
    return WeightError("it is a network that " + use);
  }
  TRY(CheckFinite(weights));
  WeightFile file = TRY(WeightFile::Open(path));
  std::string digest = TRY(file.Digest());
  ModelInfo info;
  info.architecture = variant;
  if (architecture->task() != ModelTask::kUpscale) info.input.emplace().side = request.side;
  if (request.pairs) info.pair_cells.emplace();
  info.wanted_scale = scale;
  info.digest = std::move(digest);
  info.library = LibTorchVersion();
  info.threads = threads;
  info.tensors = static_cast<int>(weights.tensors.size());
  for (const auto& [name, tensor] : weights.tensors) info.parameters += tensor.count();
  info.stored_as = StoredAs(weights);
  info.taken = weights.taken;
  info.aside = weights.aside;
  return architecture->Load(std::make_shared<const StateDict>(std::move(weights)), std::move(info));
}

}  // namespace imgmill
