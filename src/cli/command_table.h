// The subcommands, one row each.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "cli/tools/tool.h"
#include "imgmill/commands/command.h"

namespace imgmill {

class Flags;

/// What a subcommand needs from the command line before it can run.
enum class CommandKind {
  kImages,    ///< works on images: takes the shared options, can be a step of a pipeline
  kPipeline,  ///< reads a pipeline file and runs its steps
  kTool,      ///< is about no images
  kPlan,      ///< takes another command, and only finds out what that would take
};

struct CommandRow {
  std::string_view name;
  std::string_view help;
  CommandKind kind;
  std::unique_ptr<Command> (*add)(Flags& flags);    ///< for kImages: declares the flags
  std::unique_ptr<Tool> (*add_tool)(Flags& flags);  ///< for kTool: likewise
  bool reads_images = true;  ///< for kImages: else what chooses or reads them is left out of the help
  /// It tells images from one another or throws some out: folders that such a run has put images into are no
  /// input of a later one.
  bool leaves_set_aside = false;
  bool runs_models = true;  ///< else the flags of devices are left out of the help
};

std::span<const CommandRow> CommandTable();
const CommandRow* FindCommand(std::string_view name);

}  // namespace imgmill
