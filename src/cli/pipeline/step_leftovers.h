// What becomes of the files that earlier runs of a pipeline have left in the folder of each step.
#pragma once

#include <cstdint>
#include <string>

#include "cli/session/session.h"
#include "commands/leftovers.h"
#include "pipeline.h"
#include "step_run.h"

namespace imgmill {

/// Asked step by step, in their order: looks for such files, removes them where that is wanted, and tells.
class StepLeftovers {
 public:
  StepLeftovers(const CommandPipeline& pipeline, Session& session);

  /// Images that failed: what was made of them is nobody's leftover.
  Status Spare(const FailureTable& failed) { return files_.Spare(failed); }
  /// From now on nothing is removed, for that reason.
  void KeepAll(const std::string& why) { why_not_ = why; }
  /// A step begins. @param any_listed  whether the pipeline was given any image
  void Begin(const PipelineStep& step, bool any_listed);
  /// Of a run, before the reduce, which lists what is in the folder.
  Status AfterMap(StepRun& each, const CommandResult& mapped);
  /// The rest, as copies are made in the reduce; and of a dry run all.
  /// @param ahead  images that the step would be given beside those that are there
  Status AfterReduce(StepRun& each, CommandResult& result, const Prospect& ahead);
  /// Puts what was found into the result, and warns of what stays.
  void Tell(CommandResult& result) const;
  /// After that: from the next run on, a folder that came along with the output folder is as any other.
  Status NoteTold();
  /// Of a dry run: the files that would be removed.
  const Prospect& to_remove() const { return to_remove_; }
  /// The same of a step that cannot be tried.
  static Prospect OfUnseen(const Command& command);

 private:
  Pruning HowToPrune() const;
  bool Shares(const std::string& folder) const;
  std::string WhyTheyStay() const;
  void LookWhetherItCame();
  Status Foresee(StepRun& each, const CommandResult& result, const Prospect& ahead);
  Status LookAtPlaced(CommandResult& result, const Prospect& ahead);

  const CommandPipeline& pipeline_;
  Session& session_;
  const bool dry_run_;
  Leftovers files_;
  std::string why_not_;     ///< nothing may be removed; empty if that is none
  bool awaits_all_ = true;  ///< of a dry run: it is known what the files are that are still to be written

  bool awaits_some_ = false;  ///< and that they are perhaps only some of these

  // Of the step.
  const PipelineStep* step_ = nullptr;
  bool any_listed_ = false;
  bool came_along_ = false;  ///< as CameAlong
  std::string folder_;
  LeftFiles left_;
  Prospect to_remove_{0};
};

}  // namespace imgmill
