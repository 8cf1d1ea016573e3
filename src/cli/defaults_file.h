// The YAML file beside a model that says how the model wants its input.
#pragma once

#include "imgmill/base/result.h"
#include "imgmill/commands/command.h"

namespace CLI {
class App;
}

namespace imgmill {

/// Reads command.defaults_file(), if there is one, into the flags of `app` that were not given. Only flags of
/// the group "Model input" may stand in it: a file that comes with a model decides nothing else.
Status ApplyDefaultsFile(const Command& command, CLI::App& app);

}  // namespace imgmill
