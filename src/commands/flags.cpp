// A flag's words are kept in a CLI11 validator that is switched off: it validates nothing, and help does not
// show it.
#include "imgmill/commands/flags.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "imgmill/infer/own_models.h"

namespace imgmill {
namespace {

constexpr char kNote[] = "words";

}  // namespace

Flag& Flag::Type(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Flag& Flag::ShowDefault() {
  option_->capture_default_str();
  return *this;
}

Flag& Flag::ShowDefault(const std::string& text) {
  option_->default_str(text);
  return *this;
}

Flag& Flag::Words(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  CLI::Validator note([](std::string&) { return std::string(); }, text, kNote);
  note.active(false);
  option_->check(note);
  return *this;
}

Flag& Flag::Words(std::initializer_list<const char*> words) {
  const std::vector<std::string> copies(words.begin(), words.end());
  return Words(copies);
}

Flag& Flag::ModelFile() {
  option_->transform(CLI::Validator(
      [](std::string& given) {
        const Result<std::string> path = ModelPath(given);
        if (!path) return path.error().message;
        given = *path;
        return std::string();
      },
      ""));
  return *this;
}

Flag& Flag::SplitAtCommas() {
  option_->delimiter(',');
  return *this;
}

Flag& Flag::OneValueEach() {
  option_->allow_extra_args(false);
  return *this;
}

Flag& Flag::JoinValues() {
  option_->multi_option_policy(CLI::MultiOptionPolicy::Join);
  return *this;
}

Flag& Flag::Required() {
  option_->required();
  return *this;
}

Flag& Flag::Group(const std::string& heading) {
  option_->group(heading);
  return *this;
}

void Flags::Footer(const std::string& text) {
  app_.footer(text);
}

void Flags::Group(const std::string& heading) {
  app_.option_defaults()->group(heading);
}

template <typename T>
Flag Flags::Add(const std::string& names, T& target, const std::string& help) {
  return Flag(*app_.add_option(names, target, help));
}

template <typename T>
Flag Flags::AddChecked(const std::string& name,
                       std::function<std::optional<std::string>(const T& value)> take,
                       const std::string& help) {
  const auto taken = [name, take = std::move(take)](const T& value) {
    if (const std::optional<std::string> wrong = take(value)) throw CLI::ValidationError(name, *wrong);
  };
  return Flag(*app_.add_option_function<T>(name, taken, help));
}

Flag Flags::AddSwitch(const std::string& names, bool& target, const std::string& help) {
  return Flag(*app_.add_flag(names, target, help));
}

Flag Flags::AddCounted(const std::string& names, std::function<void(int times)> given,
                       const std::string& help) {
  const auto counted = [given = std::move(given)](int64_t times) { given(static_cast<int>(times)); };
  return Flag(*app_.add_flag_function(names, counted, help));
}

template Flag Flags::Add(const std::string&, int&, const std::string&);
template Flag Flags::Add(const std::string&, int64_t&, const std::string&);
template Flag Flags::Add(const std::string&, uint64_t&, const std::string&);
template Flag Flags::Add(const std::string&, double&, const std::string&);
template Flag Flags::Add(const std::string&, std::string&, const std::string&);
template Flag Flags::Add(const std::string&, std::optional<int>&, const std::string&);
template Flag Flags::Add(const std::string&, std::optional<int64_t>&, const std::string&);
template Flag Flags::Add(const std::string&, std::optional<double>&, const std::string&);
template Flag Flags::Add(const std::string&, std::vector<std::string>&, const std::string&);
template Flag Flags::AddChecked(const std::string&, std::function<std::optional<std::string>(const double&)>,
                                const std::string&);
template Flag Flags::AddChecked(const std::string&,
                                std::function<std::optional<std::string>(const std::string&)>,
                                const std::string&);

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
