// The program's own help: commands from the table, examples, exit codes.
#include "program_help.h"

#include <algorithm>

#include "command_table.h"

namespace imgmill {
namespace {

constexpr ExitCodeRow kExitCodes[] = {
    {0, "all done"},
    {1, "some images failed"},
    {2, "wrong usage"},
    {3, "cannot be done"},
    {4, "findings of verify, --check or a limit"},
    {75, "interrupted, locked or disk full: run again to resume"},
};

/// "Exit codes: 0 all done, 1 ...", in lines of at most 80 characters.
std::string ExitCodeLines() {
  std::string text = "Exit codes:";
  size_t line_start = 0;
  for (const ExitCodeRow& row : kExitCodes) {
    const std::string item = std::to_string(row.code) + " " + std::string(row.meaning) +
                             (row.code == kExitCodes[std::size(kExitCodes) - 1].code ? "." : ",");
    if (text.size() - line_start + 1 + item.size() > 80) {
      text += "\n";
      line_start = text.size();
    } else {
      text += " ";
    }
    text += item;
  }
  return text + "\n";
}

}  // namespace

std::span<const ExitCodeRow> ExitCodes() {
  return kExitCodes;
}

std::string ProgramHelp() {
  std::string text = "imgmill " IMGMILL_VERSION ": " + std::string(kProgramSummary) +
                     ".\n\nUsage: imgmill COMMAND [flags] PATH...\n\nCommands:\n";
  for (const CommandRow& row : CommandTable()) {
    std::string name(row.name);
    name.resize(std::max<size_t>(name.size(), 10), ' ');
    text += "  " + name + " " + std::string(row.help) + "\n";
  }
  text += "\nimgmill COMMAND --help shows a command's flags and an example.\n\nExamples:\n";
  return text + kProgramExamples + "\n" + ExitCodeLines();
}

}  // namespace imgmill
