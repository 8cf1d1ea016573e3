// Reads a command's facts off its CLI11 app; what a value is follows from the type name that its help shows.
#include "command_facts.h"

#include <CLI/CLI.hpp>
#include <map>

#include "cli/command_flags.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

/// Flags whose files have certain endings, whichever command they belong to.
const std::map<std::string, std::vector<std::string>> kEndings = {
    {"--model", {"safetensors", "pth", "pt"}},
    {"--config", {"yaml", "yml"}},
    {"--undo-file", {"tsv"}},
    {"--report", {"json"}},
};

void ReadPaths(FlagFacts& facts) {
  using Paths = FlagFacts::Paths;
  if (facts.value == "DIR") facts.paths = Paths::kFolders;
  if (facts.value == "PATH" || facts.value.starts_with("FILE")) facts.paths = Paths::kFiles;
  if (facts.value.starts_with("FILE.")) facts.endings = {facts.value.substr(5)};
  for (const std::string& name : facts.names) {
    if (const auto known = kEndings.find(name); known != kEndings.end()) facts.endings = known->second;
  }
}

FlagFacts Read(CLI::Option& option) {
  FlagFacts facts;
  if (!option.get_positional()) {
    for (const std::string& name : option.get_snames()) facts.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) facts.names.push_back("--" + name);
  }
  if (option.get_type_size() != 0) facts.value = option.get_type_name();
  facts.help = option.get_description();
  facts.by_default = option.get_default_str();
  facts.group = option.get_group();
  facts.words = WordsOf(option);
  facts.repeats = option.get_expected_max() > 1;
  facts.required = option.get_required();
  ReadPaths(facts);
  return facts;
}

}  // namespace

std::vector<CommandFacts> AllCommandFacts() {
  std::vector<CommandFacts> all;
  for (const CommandRow& row : CommandTable()) {
    CommandFlags flags(row);
    CommandFacts facts{std::string(row.name), std::string(row.help), flags.app->get_footer(), {}, {}};
    if (const size_t line = facts.examples.find('\n'); line != std::string::npos)
      facts.examples.erase(0, line + 1);  // "Example:"
    for (CLI::Option* option :
         flags.app->get_options([](CLI::Option* any) { return !any->get_group().empty(); }))
      (option->get_positional() ? facts.positionals : facts.flags).push_back(Read(*option));
    all.push_back(std::move(facts));
  }
  return all;
}

std::string CommandNames(const std::vector<CommandFacts>& commands, const std::string& between) {
  std::string names;
  for (const CommandFacts& command : commands) names += (names.empty() ? "" : between) + command.name;
  return names;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace imgmill
