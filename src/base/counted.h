// A number and what it counts, as text.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace imgmill {

/// "1 match", "3 matches"
template <std::integral Count>
std::string Counted(Count count, std::string_view one, std::string_view many) {
  return std::to_string(count).append(" ").append(count == 1 ? one : many);
}

/// "1 image", "3 images"
template <std::integral Count>
std::string Counted(Count count, std::string_view one) {
  return Counted(count, one, std::string(one) + "s");
}

}  // namespace imgmill
