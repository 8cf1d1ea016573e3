// An input folder that has nothing in it any more, though an earlier run has packed images of it: as where a
// drive is not mounted.
#pragma once

#include <string>

#include "imgmill/commands/command.h"

namespace imgmill {

/// The first such folder, as the user gave it; empty if there is none. The list is read only where a folder
/// is empty.
/// @param members  path of the list of what is packed; one that is not there lists nothing
std::string EmptiedInput(const std::string& members, const CommandServices& services);

}  // namespace imgmill
