// Manual pages in roff, with the man macros that groff and mandoc both know.
#include <algorithm>

#include "cli/program_help.h"
#include "pages.h"

namespace imgmill {
namespace {

/// Plain text as roff reads it: nothing in it is a request or an escape.
std::string Roff(std::string text) {
  text = Replaced(std::move(text), "\\", "\\e");
  text = Replaced(std::move(text), "-", "\\-");
  text = Replaced(std::move(text), "'", "\\(aq");
  text = Replaced(std::move(text), "\n.", "\n\\&.");
  if (text.starts_with('.')) text.insert(0, "\\&");
  return text;
}

std::string Bold(const std::string& text) {
  return "\\fB" + Roff(text) + "\\fR";
}

std::string Italic(const std::string& text) {
  return "\\fI" + Roff(text) + "\\fR";
}

std::string Head(const std::string& name, const std::string& what) {
  std::string upper = name;
  std::transform(name.begin(), name.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return ".TH " + Roff(upper) + " 1 \"\" \"imgmill " IMGMILL_VERSION "\" \"imgmill\"\n.SH NAME\n" +
         Roff(name) + " \\- " + Roff(what) + "\n";
}

std::string Examples(const std::string& lines) {
  if (lines.empty()) return {};
  std::string text = Replaced("\n" + lines, "\n  ", "\n").substr(1);
  if (!text.ends_with('\n')) text += '\n';
  return ".SH EXAMPLES\n.nf\n" + Roff(text) + ".fi\n";
}

std::string ExitStatus() {
  std::string text = ".SH EXIT STATUS\n";
  for (const ExitCodeRow& row : ExitCodes())
    text += ".TP\n" + Bold(std::to_string(row.code)) + "\n" + Roff(std::string(row.meaning)) + "\n";
  return text;
}

/// One flag or positional argument, with what it does.
std::string Entry(const FlagFacts& flag) {
  std::string tag;
  for (const std::string& name : flag.names) tag += (tag.empty() ? "" : ", ") + Bold(name);
  if (!flag.value.empty()) tag += (tag.empty() ? "" : " ") + Italic(flag.value);
  std::string text = ".TP\n" + tag + "\n" + Roff(flag.help);
  if (!flag.by_default.empty()) text += " [" + Roff(flag.by_default) + "]";
  return text + "\n";
}

std::string Arguments(const CommandFacts& command) {
  std::string text;
  for (const FlagFacts& positional : command.positionals) {
    const std::string name = Italic(positional.value) + (positional.repeats ? "..." : "");
    text += " " + (positional.required || positional.repeats ? name : "[" + name + "]");
  }
  return text;
}

/// Sections in the order in which the help shows its groups; "Options" are the command's own.
std::string Options(const CommandFacts& command) {
  std::vector<std::string> groups;
  for (const FlagFacts& flag : command.flags) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) groups.push_back(flag.group);
  }
  std::string text = ".SH OPTIONS\n";
  for (const FlagFacts& positional : command.positionals) text += Entry(positional);
  for (const std::string& group : groups) {
    if (group != "Options") text += ".SS " + Roff(group) + "\n";
    for (const FlagFacts& flag : command.flags) {
      if (flag.group == group) text += Entry(flag);
    }
  }
  return text;
}

}  // namespace

std::string CommandManPage(const CommandFacts& command) {
  return Head("imgmill-" + command.name, command.help) + ".SH SYNOPSIS\n" + Bold("imgmill " + command.name) +
         " [" + Italic("flags") + "]" + Arguments(command) + "\n.SH DESCRIPTION\n" +
         Bold("imgmill " + command.name) + ": " + Roff(command.help) +
         ".\nThe guide, with examples and their output, is\n" +
         Italic("share/doc/imgmill/" + command.name + ".md") + ".\n" + Options(command) +
         Examples(command.examples) + ExitStatus() + ".SH SEE ALSO\n" + Bold("imgmill") + "(1)\n";
}

std::string ProgramManPage(const std::vector<CommandFacts>& commands) {
  std::string text = Head("imgmill", kProgramSummary);
  text += ".SH SYNOPSIS\n" + Bold("imgmill") + " " + Italic("command") + " [" + Italic("flags") + "] " +
          Italic("path") + "...\n.br\n" + Bold("imgmill help") + " [" + Italic("command") + "]\n.br\n" +
          Bold("imgmill --version") + "\n.SH COMMANDS\n";
  for (const CommandFacts& command : commands) {
    text += ".TP\n" + Bold(command.name) + "\n" + Roff(command.help) + "; see " +
            Bold("imgmill-" + command.name) + "(1)\n";
  }
  text += ".SH ENVIRONMENT\n";
  const std::pair<const char*, const char*> variables[] = {
      {"LIBTORCH",
       "The folder of the LibTorch that models run on: the one that holds lib/libtorch_cpu.so. Without it, "
       "lib/imgmill/libtorch beside the program's own libraries is used, or else the torch package of the "
       "active python3."},
      {"IMGMILL_TORCH_MODULE", "The path of libimgmill_torch.so, where it is not in its place."},
      {"NO_COLOR", "Set to anything: no colour in log lines."},
      {"XDG_STATE_HOME",
       "Where the catalogs of commands without an output folder are kept [~/.local/state]."},
  };
  for (const auto& [name, what] : variables) text += ".TP\n" + Bold(name) + "\n" + Roff(what) + "\n";
  text += Examples(kProgramExamples) + ExitStatus() + ".SH SEE ALSO\n";
  for (const CommandFacts& command : commands) {
    text += Bold("imgmill-" + command.name) + "(1)" + (&command == &commands.back() ? "\n" : ",\n");
  }
  return text;
}

}  // namespace imgmill
