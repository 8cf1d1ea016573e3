// What manual pages and completions tell of a command, read off the flags that the command itself declares.
#pragma once

#include <string>
#include <vector>

namespace imgmill {

struct FlagFacts {
  std::vector<std::string> names;  ///< "-o", "--output", "--no-recursive"; none for a positional argument
  std::string value;               ///< "DIR"; empty for a switch
  std::string help;
  std::string by_default;          ///< "phash"; empty where the help says it, or there is none
  std::string group;               ///< "Memory and devices"
  std::vector<std::string> words;  ///< all values, or the ones worth offering; empty for other values
  /// What a shell offers for the value: nothing but the words, folders, or files too.
  enum class Paths { kNone, kFolders, kFiles } paths = Paths::kNone;
  std::vector<std::string> endings;  ///< of the files offered: "pth"; empty for all
  bool repeats = false;              ///< may stand more than once
  bool required = false;
};

struct CommandFacts {
  std::string name;
  std::string help;
  std::string examples;  ///< lines, indented by two
  std::vector<FlagFacts> flags;
  std::vector<FlagFacts> positionals;
};

/// All commands of the table, in its order.
std::vector<CommandFacts> AllCommandFacts();

/// "dedup embed ...", with `between` between each two.
std::string CommandNames(const std::vector<CommandFacts>& commands, const std::string& between = " ");

/// The text with each `from` replaced.
std::string Replaced(std::string text, const std::string& from, const std::string& to);

}  // namespace imgmill
