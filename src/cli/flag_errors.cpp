// CLI11 keeps no parts of its messages, so they are taken from the text.
#include "flag_errors.h"

#include <CLI/CLI.hpp>

namespace imgmill {

std::string InPlainWords(const CLI::Error& problem) {
  const std::string text = problem.what();
  const std::string could_not = "Could not convert: ";
  if (text.starts_with(could_not)) {  // "Could not convert: --max-distance = ten"
    const size_t equals = text.find(" = ");
    if (equals != std::string::npos) {
      return text.substr(could_not.size(), equals - could_not.size()) + ": \"" + text.substr(equals + 3) +
             "\" is not a valid value";
    }
  }
  const size_t missing = text.find(": 1 required ");  // "--max-distance: 1 required BITS missing"
  if (missing != std::string::npos && text.ends_with(" missing")) {
    return text.substr(0, missing) + " needs a value";
  }
  const std::string several = ": At Most 1 required but received ";
  if (const size_t at = text.find(several); at != std::string::npos)
    return text.substr(0, at) + ": takes one value, and was given " + text.substr(at + several.size());
  return text;
}

}  // namespace imgmill
