// Completion for zsh: one _arguments call a command, with the help of each flag.
#include "pages.h"

namespace imgmill {
namespace {

/// Inside single quotes, where _arguments takes colons and brackets for its own.
std::string Quoted(std::string text) {
  text = Replaced(std::move(text), "\\", "\\\\");
  for (const char* special : {"[", "]", ":"})
    text = Replaced(std::move(text), special, std::string("\\") + special);
  return Replaced(std::move(text), "'", "'\\''");
}

/// "DIR:_files -/"
std::string Value(const FlagFacts& flag) {
  std::string action = " ";
  if (!flag.words.empty()) {
    action = "(";
    for (const std::string& word : flag.words) action += (action == "(" ? "" : " ") + word;
    action += ")";
  } else if (flag.paths == FlagFacts::Paths::kFolders) {
    action = "_files -/";
  } else if (flag.paths == FlagFacts::Paths::kFiles) {
    std::string endings;
    for (const std::string& ending : flag.endings) endings += (endings.empty() ? "" : "|") + ending;
    action = endings.empty() ? "_files" : "_files -g \"*.(" + endings + ")(-.)\"";
  }
  return Quoted(flag.value) + ":" + action;
}

std::string Flag(const FlagFacts& flag) {
  std::string all;
  std::string forms;
  for (const std::string& name : flag.names) {
    all += (all.empty() ? "" : " ") + name;
    // "-o+": the value may stick to it; "--output=": it may follow an equals sign.
    const char* joint = flag.value.empty() ? "" : name.starts_with("--") ? "=" : "+";
    forms += (forms.empty() ? "" : ",") + name + joint;
  }
  std::string spec = flag.repeats ? "'*'" : "'(" + all + ")'";
  spec += flag.names.size() > 1 ? "{" + forms + "}" : forms;
  spec += "'[" + Quoted(flag.help) + "]";
  if (!flag.value.empty()) spec += ":" + Value(flag);
  return spec + "'";
}

}  // namespace

std::string ZshCompletion(const std::vector<CommandFacts>& commands) {
  std::string text =
      "#compdef imgmill\n"
      "# Completion of imgmill for zsh, made from the program's own table of commands.\n\n"
      "_imgmill_commands() {\n  local -a commands=(\n";
  for (const CommandFacts& command : commands)
    text += "    '" + command.name + ":" + Quoted(command.help) + "'\n";
  text +=
      "  )\n  _describe -t commands command commands\n}\n\n"
      "_imgmill() {\n"
      "  local curcontext=\"$curcontext\" state\n"
      "  local -a line\n"
      "  local -A opt_args\n"
      "  _arguments -C \\\n"
      "    '(- *)'{-h,--help}'[show the commands]' \\\n"
      "    '(- *)'{-V,--version}'[show the version]' \\\n"
      "    '1:command:_imgmill_commands' \\\n"
      "    '*::argument:->arguments' && return\n"
      "  [[ $state == arguments ]] || return 1\n"
      "  curcontext=\"${curcontext%:*:*}:imgmill-$line[1]:\"\n"
      "  case $line[1] in\n"
      "    help) _arguments '1:command:_imgmill_commands' ;;\n";
  for (const CommandFacts& command : commands) {
    text += "    " + command.name + ")\n      _arguments -s -S";
    for (const FlagFacts& flag : command.flags) text += " \\\n        " + Flag(flag);
    int place = 0;
    for (const FlagFacts& positional : command.positionals) {
      ++place;
      text += " \\\n        '" + (positional.repeats ? "*" : std::to_string(place)) + ":" +
              Value(positional) + "'";
    }
    text += " ;;\n";
  }
  return text +
         "    *) return 1 ;;\n  esac\n}\n\n"
         "# Read by autoload, the file is the function's body; sourced, it only registers it.\n"
         "if [[ $funcstack[1] == _imgmill ]]; then _imgmill \"$@\"; else compdef _imgmill imgmill; fi\n";
}

}  // namespace imgmill
