// How a command declares its flags: each bound to a field of its options. The parser itself (CLI11) stays
// behind this: its header takes the compiler longer than everything else in a command's file.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace imgmill {

/// One flag, while it is declared. Copies mean the same flag.
class Flag {
 public:
  explicit Flag(CLI::Option& option) : option_(&option) {}

  /// What stands for its value in the help: "DIR", "N", "FILE.csv", "NAME,...".
  Flag& Type(const std::string& name);
  /// The help shows the value that its field has now, or `text`.
  Flag& ShowDefault();
  Flag& ShowDefault(const std::string& text);
  /// The words that it takes, for completion and manual pages. Nothing is checked by that: the command's
  /// Check() says what is wrong, with a "did you mean".
  Flag& Words(std::span<const std::string> words);
  Flag& Words(std::initializer_list<const char*> words);
  /// It names a weight file: own:NAME becomes the path of that model's file.
  Flag& ModelFile();
  /// "a,b" is two values.
  Flag& SplitAtCommas();
  /// A value each time that it is given; a word behind the value is something else.
  Flag& OneValueEach();
  /// Values that are given apart are one text: "0.5 0.5 0.5".
  Flag& JoinValues();
  Flag& Required();
  /// The heading that it stands under in the help; "" hides it.
  Flag& Group(const std::string& heading);

 private:
  CLI::Option* option_;
};

/// The flags of one command.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  /// What stands below the flags in the help.
  void Footer(const std::string& text);
  /// The heading of those that are declared from now on; without one, that of the command's own.
  void Group(const std::string& heading = "Options");

  /// A flag with a value, or an argument without a flag. `target` outlives the parsing and is not touched
  /// where it is not given.
  /// @param names  "--overlap", "-o,--output"; without a dash ("paths") it is an argument
  /// @tparam T  int, int64_t, uint64_t, double or an optional of a signed one; std::string or a vector of
  /// them
  template <typename T>
  Flag Add(const std::string& names, T& target, const std::string& help);

  /// A flag whose value is taken by `take`, which returns what is wrong with it.
  /// @tparam T  double or std::string
  template <typename T>
  Flag AddChecked(const std::string& name, std::function<std::optional<std::string>(const T& value)> take,
                  const std::string& help);

  /// A flag without value: sets `target`. "--recursive,!--no-recursive" has one that clears it, too.
  Flag AddSwitch(const std::string& names, bool& target, const std::string& help);
  /// @param given  is called with how often it was given
  Flag AddCounted(const std::string& names, std::function<void(int times)> given, const std::string& help);

 private:
  CLI::App& app_;
};

/// What Flag::Words noted; empty for a flag that takes other values.
std::vector<std::string> WordsOf(CLI::Option& option);

}  // namespace imgmill
