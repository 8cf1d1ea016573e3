// The flags that every command takes.
#pragma once

#include <array>
#include <string>

#include "imgmill/commands/command.h"

namespace imgmill {

class Flags;

/// Flags of the run itself, and of the listing unless `listing` is false (a pipeline names its input in the
/// file).
void AddSharedFlags(Flags& flags, SharedOptions& options, std::string& config_file, bool listing);

/// Words to offer for a device: those that need no look at the machine, though there are more.
inline const std::array<std::string, 3> kSomeDevices = {"auto", "cpu", "cuda"};

/// A flag that takes "512MiB" or "2G".
void AddByteSize(Flags& flags, const std::string& flag, size_t& target, const std::string& help);

}  // namespace imgmill
