// What rules on texts and dates compare with.
#pragma once

#include <optional>
#include <string_view>

namespace imgmill {

/// Whether all of `text` is what `pattern` says: "*" stands for any characters, also none, "?" for one
/// (of UTF-8; of what is not, a byte), and a backslash takes away the meaning of the character behind it.
/// A to Z and a to z are alike.
bool MatchesPattern(std::string_view text, std::string_view pattern);

/// A year, month, day, minute or second: as long as it is written exactly.
struct DateSpan {
  double begin = 0;   ///< seconds from 1970 on, as Signal::kDate
  double length = 0;  ///< seconds
};

/// "2015", "2015-06", "2015-06-01", "2015-06-01T12:30", "2015-06-01T12:30:05"; a blank may stand for the T.
std::optional<DateSpan> ParseDate(std::string_view text);

}  // namespace imgmill
