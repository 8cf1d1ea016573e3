// The texts that an installed imgmill brings for man and the shells, each made from the commands' facts.
#pragma once

#include <string>
#include <vector>

#include "command_facts.h"

namespace imgmill {

/// imgmill(1), in roff.
std::string ProgramManPage(const std::vector<CommandFacts>& commands);
/// imgmill-COMMAND(1), in roff.
std::string CommandManPage(const CommandFacts& command);

std::string BashCompletion(const std::vector<CommandFacts>& commands);
std::string ZshCompletion(const std::vector<CommandFacts>& commands);
std::string FishCompletion(const std::vector<CommandFacts>& commands);

}  // namespace imgmill
