// What each network is to the loader: how its state dict is recognised and what it is loaded into.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "networks/network.h"
#include "networks/network_kind.h"
#include "networks/weights/state_dict.h"
#include "networks/weights/weight_file.h"

namespace imgmill {

/// One architecture. To add one that is a graph, see GraphArchitecture; another: write a file like
/// swin_ir.cpp, and its line in architecture_table.cpp.
class Architecture : public NetworkKind {
 public:
  /// @param info  what the loader knows: digest, library, threads, the wanted scale. A kModelError tells
  /// which variant it is that cannot be built.
  virtual Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                                ModelInfo info) const = 0;
};

/// One whose Plan follows from names and shapes: see PlannedKind.
template <typename Plan, bool (*Read)(const StateDict& weights, Plan& plan)>
class PlannedArchitecture : public PlannedKind<Architecture, Plan, Read> {
 public:
  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    Plan plan;
    if (!Read(*weights, plan))
      return WeightError(std::string("these are not the weights of ").append(this->name()));
    return Build(std::move(plan), std::move(weights), std::move(info));
  }

 protected:
  /// Load, with what was read.
  virtual Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                                 ModelInfo info) const = 0;
};

/// All, those that are graphs included.
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
