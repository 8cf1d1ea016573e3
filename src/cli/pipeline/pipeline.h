// `imgmill run PIPELINE.yaml`: steps in a row, each taking what the last kept or wrote, checked whole before
// any work. A command with --pack is one of two steps (pack_behind.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/steps_before.h"

namespace CLI {
class App;
}

namespace imgmill {

struct PipelineStep {
  std::string name;    ///< "dedup"
  std::string title;   ///< "dedup-2", if it is the second one; empty where the command line says which it is
  std::string place;   ///< "p.yaml:5: dedup"; empty where the command line says which it is
  std::string folder;  ///< below the pipeline's output; empty for steps that write no images
  /// Holds the flags that the command's options are bound to; null where somebody else does.
  std::unique_ptr<CLI::App> app;
  std::unique_ptr<Command> command;
  bool leaves_set_aside = false;  ///< as in CommandRow
  StepsBefore before;
  std::vector<std::string> other_titles;  ///< of the steps before and behind it

  PipelineStep();
  PipelineStep(PipelineStep&&) noexcept;
  ~PipelineStep();
};

struct CommandPipeline {
  std::string file;               ///< empty for a command with --pack
  std::string output;             ///< folder for everything that steps write
  bool prune = false;             ///< remove what earlier runs have left in the steps' folders
  bool in_listing_order = false;  ///< steps are given what the one before has made as a listing orders it
  std::vector<PipelineStep> steps;
};

/// Reads and checks everything: unknown keys, types, ranges, missing values, each with its line. Shared
/// options in the file go into `shared` through `app`; those given as flags win.
Result<CommandPipeline> ReadPipeline(const std::string& file, CLI::App& app, SharedOptions& shared);

/// Runs the steps. The counts of each must reconcile: listed = kept + dropped + failed.
/// @param advise  as in SessionPlan.
ExitCode RunPipeline(CommandPipeline pipeline, const SharedOptions& shared, std::string command_line,
                     bool advise);

}  // namespace imgmill
