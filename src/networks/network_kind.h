// What a network is to whoever loads it: how its state dict is recognised.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imgmill/infer/model_runtime.h"
#include "networks/weights/state_dict.h"

namespace imgmill {

using Telltales = std::vector<std::string_view>;

/// "upscale", "embed", "score", "compare"
std::string_view ToString(ModelTask task);

class NetworkKind {
 public:
  virtual ~NetworkKind() = default;
  virtual std::string_view name() const = 0;
  /// Models that people know it by: "realesr-animevideov3, realesr-general".
  virtual std::string_view known_by() const = 0;

  /// Tensors that each of its files has, one set or another: what a file that is nobody's is compared with.
  virtual std::vector<Telltales> telltales() const { return {}; }

  virtual ModelTask task() const { return ModelTask::kUpscale; }
  KnownArchitecture Known() const {
    return {std::string(name()), std::string(known_by()), std::string(ToString(task()))};
  }
  /// The one of its kind that these weights are: "ResNet-50".
  virtual std::string Variant(const StateDict& /*weights*/) const { return std::string(name()); }

  /// Whether the names and shapes are this network's. Two kinds must never claim the same state dict.
  virtual bool Matches(const StateDict& weights) const = 0;
};

/// One whose hyper-parameters, its Plan, all follow from the names and shapes of the weights.
/// @param Kind  NetworkKind, or what is derived from it
/// @param Read  fills a new Plan; false where the weights are not this network's
template <typename Kind, typename Plan, bool (*Read)(const StateDict& weights, Plan& plan)>
class PlannedKind : public Kind {
 public:
  bool Matches(const StateDict& weights) const override {
    Plan plan;
    return Read(weights, plan);
  }
  std::string Variant(const StateDict& weights) const override {
    Plan plan;
    return Read(weights, plan) ? VariantOf(plan) : std::string(this->name());
  }

 protected:
  virtual std::string VariantOf(const Plan& /*plan*/) const { return std::string(this->name()); }
};

/// Takes what training programs put in front of all names (`netG.`, `model.`) away, one such word. @return
/// whether there was one
bool DropTrainersPrefix(StateDict& weights);

/// The facts of a weight file that do not depend on what it is loaded into. Errors: a kModelError where
/// weights are integers, infinite or not numbers, and those of reading.
Result<ModelInfo> CheckedInfo(const StateDict& weights);

/// As if the file said it: what the user says wins.
void TellRequest(const UpscalerRequest& request, StateDict& weights);

/// What may be why a network lacks something, to stand behind an error; empty where nothing is known.
std::string HintOf(const std::string& path, const StateDict& weights);
/// Behind a kModelError; others are as they were.
Error WithHint(Error error, const std::string& hint);

}  // namespace imgmill
