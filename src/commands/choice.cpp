// One word out of a few: what is said where a flag's value is none of them.
#include "choice.h"

#include <algorithm>

#include "imgmill/base/spelling.h"

namespace imgmill {

std::optional<std::string> CheckChoice(const char* flag, const std::string& value,
                                       std::span<const std::string> known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return std::nullopt;
  std::string text = "unknown " + std::string(flag) + " \"" + value + "\"";
  if (const auto guess = DidYouMean(value, known)) return text + "; did you mean \"" + *guess + "\"?";
  text += " (";
  for (const std::string& word : known) text += word + (word == known.back() ? ")" : ", ");
  return text;
}

}  // namespace imgmill
