// What each network is to the loader: how its state dict is recognised and what it is loaded into.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torch/network.h"
#include "torch/weights/state_dict.h"
#include "torch/weights/weight_file.h"

namespace imgmill {

using Telltales = std::vector<std::string_view>;

/// "upscale", "embed", "score", "compare"
std::string_view ToString(ModelTask task);

/// One architecture. To add one: write a file like edsr.cpp, and its line in architecture_table.cpp.
class Architecture {
 public:
  virtual ~Architecture() = default;
  virtual std::string_view name() const = 0;
  /// Models that people know it by: "realesr-animevideov3, realesr-general".
  virtual std::string_view known_by() const = 0;

  /// Tensors that each of its files has, one set or another: what a file that is nobody's is compared with.
  virtual std::vector<Telltales> telltales() const { return {}; }

  virtual ModelTask task() const { return ModelTask::kUpscale; }
  /// The one of its kind that these weights are: "ResNet-50".
  virtual std::string Variant(const StateDict& /*weights*/) const { return std::string(name()); }

  /// Whether the names and shapes are this network's. Two architectures must never claim the same state dict.
  virtual bool Matches(const StateDict& weights) const = 0;

  /// @param info  what the loader knows: digest, library, threads, the wanted scale. A kModelError tells
  /// which variant it is that cannot be built.
  virtual Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                                ModelInfo info) const = 0;
};

/// One whose hyper-parameters, its Plan, all follow from the names and shapes of the weights.
/// @param Read  fills a new Plan; false where the weights are not this network's
template <typename Plan, bool (*Read)(const StateDict& weights, Plan& plan)>
class PlannedArchitecture : public Architecture {
 public:
  bool Matches(const StateDict& weights) const override {
    Plan plan;
    return Read(weights, plan);
  }
  std::string Variant(const StateDict& weights) const override {
    Plan plan;
    return Read(weights, plan) ? VariantOf(plan) : std::string(name());
  }
  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    Plan plan;
    if (!Read(*weights, plan))
      return WeightError(std::string("these are not the weights of ").append(name()));
    return Build(std::move(plan), std::move(weights), std::move(info));
  }

 protected:
  virtual std::string VariantOf(const Plan& /*plan*/) const { return std::string(name()); }
  /// Load, with what was read.
  virtual Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                                 ModelInfo info) const = 0;
};

std::span<const Architecture* const> Architectures();

/// The one whose names and shapes these are. What stands in front of all names (`netG.`, `model.`) is dropped
/// if that helps. A kModelError says which is the nearest and what it lacks, if there is none.
Result<const Architecture*> DetectArchitecture(StateDict& weights);

/// Reads a state dict and loads it into the network that it is of. Errors: those of ReadStateDict, and
/// kModelError; one of them says that the network is for another task, and which, where a task is given.
/// @param request  for embedding
/// @param upscaler  for enlarging
/// @throws OutOfMemory, c10::Error
Result<std::unique_ptr<Network>> LoadStateDict(const std::string& path, int threads,
                                               std::optional<ModelTask> task,
                                               const EmbedderRequest& request = {},
                                               const UpscalerRequest& upscaler = {});

}  // namespace imgmill
