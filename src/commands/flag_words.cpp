// Keeps a flag's words in a CLI11 validator that is switched off: it validates nothing, and help does not
// show it.
#include "imgmill/commands/flag_words.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "imgmill/infer/own_models.h"

namespace imgmill {
namespace {

constexpr char kNote[] = "words";

}  // namespace

CLI::Option* TakesWords(CLI::Option* option, std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  CLI::Validator note([](std::string&) { return std::string(); }, text, kNote);
  note.active(false);
  return option->check(note);
}

CLI::Option* TakesWords(CLI::Option* option, std::initializer_list<const char*> words) {
  const std::vector<std::string> copies(words.begin(), words.end());
  return TakesWords(option, copies);
}

CLI::Option* TakesModel(CLI::Option* option) {
  return option->transform(CLI::Validator(
      [](std::string& given) {
        const Result<std::string> path = ModelPath(given);
        if (!path) return path.error().message;
        given = *path;
        return std::string();
      },
      ""));
}

std::vector<std::string> WordsOf(CLI::Option& option) {
  const CLI::Validator* note = nullptr;
  try {
    note = option.get_validator(kNote);
  } catch (const CLI::OptionNotFound&) {
    return {};
  }
  CLI::Validator shown = *note;
  std::istringstream text(shown.active(true).get_description());
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

}  // namespace imgmill
