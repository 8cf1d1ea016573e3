#include "networks/network_kind.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "networks/weights/weight_file.h"

namespace imgmill {
namespace {

/// What training programs put in front of all names. None of them may belong to the network itself, so that
/// each is only dropped where the names as they are match nothing.
constexpr std::string_view kPrefixes[] = {"netG.",     "net_g.",  "generator.", "ema.", "model.",
                                          "backbone.", "visual.", "module.",    "net."};

/// "float32", or the types by the names of all that occur.
std::string StoredAs(const StateDict& weights) {
  std::set<std::string_view> types;
  for (const auto& [name, tensor] : weights.tensors) types.insert(ToString(tensor.type));
  std::string text;
  for (const std::string_view type : types) text.append(text.empty() ? "" : " and ").append(type);
  return text;
}

/// A kModelError where weights were made integers by some program: no layer computes with them as they are.
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

bool DropTrainersPrefix(StateDict& weights) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return DropPrefix(weights, prefix); });
}

Result<ModelInfo> CheckedInfo(const StateDict& weights) {
  TRY(CheckFloating(weights));
  TRY(CheckFinite(weights));
  ModelInfo info;
  info.digest = TRY(weights.file->Digest());
  info.tensors = static_cast<int>(weights.tensors.size());
  for (const auto& [name, tensor] : weights.tensors) info.parameters += tensor.count();
  info.stored_as = StoredAs(weights);
  info.taken = weights.taken;
  info.aside = weights.aside;
  return info;
}

void TellRequest(const UpscalerRequest& request, StateDict& weights) {
  if (request.noise_level) weights.metadata["noise_level"] = std::to_string(*request.noise_level);
}

std::string HintOf(const std::string& path, const StateDict& weights) {
  if (IsShard(path))
    return "; its name says that it is one part of several: join all parts into one file first";
  if (weights.unread.empty()) return {};
  const auto& [name, made_by] = *weights.unread.begin();
  return "; its " + PrintablePath(name) + " is made by " + made_by + ", which is not read";
}

Error WithHint(Error error, const std::string& hint) {
  if (error.code == Code::kModelError) error.message += hint;
  return error;
}

}  // namespace imgmill
