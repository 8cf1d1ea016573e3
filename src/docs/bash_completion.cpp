// Completion for bash, in bash alone: it works without the bash-completion package, which only loads it.
#include <map>

#include "pages.h"

namespace imgmill {
namespace {

constexpr char kStart[] = R"(# Completion of imgmill for bash, made from the program's own table of commands.

# Fills COMPREPLY with folders, and with the files that have one of the endings, or with all files for "*".
_imgmill_files() {
  local name path ending
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do
    path=$name
    [[ $path != "~/"* ]] || path=$HOME/${path:2}
    if [[ -d $path ]]; then COMPREPLY+=("$name"); continue; fi
    for ending; do
      if [[ $ending == "*" || $name == *."$ending" ]]; then COMPREPLY+=("$name"); fi
    done
  done < <(compgen -f -- "$current")
}

_imgmill() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-}
  COMPREPLY=()
  # bash makes three words of --flag=value.
  if [[ $previous == "=" && COMP_CWORD -gt 2 ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi
  if [[ $current == "=" ]]; then current=; previous=${COMP_WORDS[COMP_CWORD - 1]}; fi
)";

std::string Words(const std::string& words) {
  return "mapfile -t COMPREPLY < <(compgen -W \"" + words + "\" -- \"$current\")";
}

/// What completes a value.
std::string Value(const FlagFacts& flag) {
  if (!flag.words.empty()) {
    std::string words;
    for (const std::string& word : flag.words) words += (words.empty() ? "" : " ") + word;
    return Words(words);
  }
  if (flag.paths == FlagFacts::Paths::kNone) return {};
  std::string call = "_imgmill_files";
  if (flag.paths == FlagFacts::Paths::kFiles && flag.endings.empty()) call += " \"*\"";
  for (const std::string& ending : flag.endings) call += " " + ending;
  return call;
}

}  // namespace

std::string BashCompletion(const std::vector<CommandFacts>& commands) {
  const std::string names = CommandNames(commands);
  std::string text = kStart;
  text += "  if [[ $COMP_CWORD == 1 ]]; then\n    " + Words(names + " help --help --version") +
          "\n    return\n  fi\n";
  text += "  case \"$command $previous\" in\n";
  for (const CommandFacts& command : commands) {
    // Flags whose values are completed in one way share a branch.
    std::map<std::string, std::string> branches;
    for (const FlagFacts& flag : command.flags) {
      if (flag.value.empty()) continue;
      std::string& patterns = branches[Value(flag)];
      for (const std::string& name : flag.names)
        patterns += (patterns.empty() ? "" : "|") + ("\"" + command.name + " " + name + "\"");
    }
    for (const auto& [action, patterns] : branches)
      text += "    " + patterns + ") " + (action.empty() ? "" : action + "; ") + "return ;;\n";
  }
  text += "  esac\n  case $command in\n    help) " + Words(names) + " ;;\n";
  for (const CommandFacts& command : commands) {
    std::string flags;
    for (const FlagFacts& flag : command.flags) {
      for (const std::string& name : flag.names) flags += (flags.empty() ? "" : " ") + name;
    }
    text += "    " + command.name + ")\n      if [[ $current == -* ]]; then\n        " + Words(flags) + "\n";
    const std::string value = command.positionals.empty() ? "" : Value(command.positionals.front());
    if (!value.empty()) text += "      else\n        " + value + "\n";
    text += "      fi ;;\n";
  }
  return text + "  esac\n}\n\ncomplete -F _imgmill imgmill\n";
}

}  // namespace imgmill
