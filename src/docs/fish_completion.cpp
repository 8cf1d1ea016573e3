// Completion for fish: one `complete` line a flag, on the condition that the command stands first.
#include "pages.h"

namespace imgmill {
namespace {

std::string Quoted(std::string text) {
  text = Replaced(std::move(text), "\\", "\\\\");
  return "'" + Replaced(std::move(text), "'", "\\'") + "'";
}

/// The options of `complete` for a value: -x means that it takes one and that only the list is offered.
std::string Value(const FlagFacts& flag) {
  if (!flag.words.empty()) {
    std::string words;
    for (const std::string& word : flag.words) words += (words.empty() ? "" : " ") + word;
    return " -x -a " + Quoted(words);
  }
  if (flag.paths == FlagFacts::Paths::kFolders) return " -x -a '(__fish_complete_directories)'";
  if (flag.paths == FlagFacts::Paths::kNone) return " -x";
  if (flag.endings.empty()) return " -r -F";
  std::string endings;
  for (const std::string& ending : flag.endings) endings += " " + ending;
  return " -x -a '(__imgmill_files" + endings + ")'";
}

}  // namespace

std::string FishCompletion(const std::vector<CommandFacts>& commands) {
  std::string text = R"(# Completion of imgmill for fish, made from the program's own table of commands.

# Whether the command line is at this command: the first word after the program.
function __imgmill_at
    set -l words (commandline -opc)
    if test (count $argv) = 0
        test (count $words) = 1
    else
        test (count $words) -gt 1; and test "$words[2]" = $argv[1]
    end
end

# Folders, and files with one of these endings.
function __imgmill_files
    set -l pattern '(/|\\.('(string join '|' $argv)'))$'
    for path in (__fish_complete_path (commandline -ct | string replace -r '^--?[^=]*=' ''))
        string match -rq $pattern (string split -f 1 \t $path); and echo $path
    end
end

complete -c imgmill -f
complete -c imgmill -n __imgmill_at -s h -l help -d 'show the commands'
complete -c imgmill -n __imgmill_at -s V -l version -d 'show the version'
)";
  for (const CommandFacts& command : commands)
    text += "complete -c imgmill -n __imgmill_at -a " + command.name + " -d " + Quoted(command.help) + "\n";
  text += "complete -c imgmill -n '__imgmill_at help' -a " + Quoted(CommandNames(commands)) + "\n";
  for (const CommandFacts& command : commands) {
    const std::string line = "complete -c imgmill -n '__imgmill_at " + command.name + "'";
    for (const FlagFacts& positional : command.positionals) {
      const std::string value = Value(positional);
      text += line + (value == " -r -F" ? " -F" : value.substr(3)) + "\n";
    }
    for (const FlagFacts& flag : command.flags) {
      text += line;
      for (const std::string& name : flag.names)
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      text += (flag.value.empty() ? "" : Value(flag)) + " -d " + Quoted(flag.help) + "\n";
    }
  }
  return text;
}

}  // namespace imgmill
