// The flags of one command on a CLI11 app, and what they fill: declared once, for running a command line and
// for describing it in manual pages and completions.
#pragma once

#include <memory>
#include <string>

#include "cli/pipeline/pack_behind.h"
#include "command_table.h"

namespace CLI {
class App;
}

namespace imgmill {

struct CommandFlags {
  explicit CommandFlags(const CommandRow& row);
  ~CommandFlags();

  SharedOptions shared;              ///< of commands that work on images, and of pipelines
  std::string config;                ///< --config
  std::string file;                  ///< the pipeline's
  bool prune = false;                ///< likewise
  std::string planned;               ///< the command to be planned
  PackBehind pack;                   ///< of commands that write images, or keep some
  std::unique_ptr<Command> command;  ///< of commands that work on images; else null
  std::unique_ptr<Tool> tool;        ///< of commands about no images; else null
  std::unique_ptr<CLI::App> app;     ///< writes to all of the above when it parses
};

}  // namespace imgmill
