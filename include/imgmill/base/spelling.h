// "did you mean": the known word nearest to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace imgmill {

/// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours), if that is at
/// most a third of the word's length, and at least 1; the first of equals.
std::optional<std::string> DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace imgmill
