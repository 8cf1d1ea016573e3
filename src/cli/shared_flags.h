// The flags that every command takes.
#pragma once

#include <string>

#include "imgmill/commands/command.h"

namespace CLI {
class App;
}

namespace imgmill {

/// Flags of the run itself, and of the listing unless `listing` is false (a pipeline names its input in the
/// file).
void AddSharedFlags(CLI::App& app, SharedOptions& options, std::string& config_file, bool listing);

/// A flag that takes "512MiB" or "2G".
void AddByteSize(CLI::App& app, const std::string& flag, size_t& target, const std::string& help);

}  // namespace imgmill
