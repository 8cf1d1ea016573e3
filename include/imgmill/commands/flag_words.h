// The words that a flag takes, noted at the flag, so that completion and manual pages know what its help
// says.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace CLI {
class Option;
}

namespace imgmill {

/// Notes at a flag the words that it takes. Nothing is checked by that: the command's Check() says what is
/// wrong, with a "did you mean".
CLI::Option* TakesWords(CLI::Option* option, std::span<const std::string> words);
CLI::Option* TakesWords(CLI::Option* option, std::initializer_list<const char*> words);

/// Lets a flag that names a weight file take own:NAME, too: it gets the path of that model's file.
CLI::Option* TakesModel(CLI::Option* option);

/// What was noted; empty for a flag that takes other values.
std::vector<std::string> WordsOf(CLI::Option& option);

}  // namespace imgmill
