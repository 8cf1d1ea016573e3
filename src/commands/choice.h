// One word out of a few: what is said where a flag's value is none of them.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace imgmill {

/// Nothing if `value` is one of `known`; else `unknown --method "phsh"; did you mean "phash"?`, or all of
/// them.
std::optional<std::string> CheckChoice(const char* flag, const std::string& value,
                                       std::span<const std::string> known);

}  // namespace imgmill
