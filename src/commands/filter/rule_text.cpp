// Both are read from left to right; a pattern goes back to its last star where it does not fit.
#include "rule_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/utf8.h"

namespace imgmill {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Bytes of the character at `at`: of what is not UTF-8, one.
size_t CharacterBytes(std::string_view text, size_t at) {
  return std::max<size_t>(1, Utf8Length(text.substr(at)));
}

/// The first of a pattern's characters, and how long it is.
struct Piece {
  enum class Kind { kAnyText, kAnyOne, kThis } kind;
  char character = 0;
  size_t length = 1;

  explicit Piece(std::string_view pattern) : kind(Kind::kThis), character(pattern[0]) {
    if (character == '*') kind = Kind::kAnyText;
    if (character == '?') kind = Kind::kAnyOne;
    if (character == '\\' && pattern.size() > 1) character = pattern[1], length = 2;
  }
  /// Bytes that it takes of the text at `at`; 0 where that is something else.
  size_t Takes(std::string_view text, size_t at) const {
    if (kind == Kind::kAnyOne) return CharacterBytes(text, at);
    return Lower(text[at]) == Lower(character) ? 1 : 0;
  }
};

double Seconds(int year, int month) {
  const std::chrono::year_month_day day{
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(1)};
  return static_cast<double>(std::chrono::sys_days(day).time_since_epoch().count()) * 86400;
}

}  // namespace

bool MatchesPattern(std::string_view text, std::string_view pattern) {
  size_t at = 0, in = 0;
  std::optional<size_t> star_in;  // behind the last star
  size_t star_at = 0;             // what it does not stand for begins here
  while (at < text.size()) {
    const std::optional<Piece> piece =
        in < pattern.size() ? std::optional<Piece>(pattern.substr(in)) : std::nullopt;
    if (piece && piece->kind == Piece::Kind::kAnyText) {
      star_in = ++in;
      star_at = at;
    } else if (const size_t taken = piece ? piece->Takes(text, at) : 0; taken > 0) {
      in += piece->length;
      at += taken;
    } else if (star_in) {
      in = *star_in;
      star_at += CharacterBytes(text, star_at);
      at = star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

std::optional<DateSpan> ParseDate(std::string_view text) {
  struct Part {
    size_t at, digits;
    int least, most;
    std::string_view before;
  };
  constexpr Part kParts[] = {{0, 4, 1, 9999, ""},   {5, 2, 1, 12, "-"},  {8, 2, 1, 31, "-"},
                             {11, 2, 0, 23, "T t"}, {14, 2, 0, 59, ":"}, {17, 2, 0, 60, ":"}};
  std::array<int, 6> values = {0, 1, 1, 0, 0, 0};
  size_t count = 0;
  for (const Part& part : kParts) {
    if (text.size() < part.at + part.digits) break;
    if (part.at > 0 && part.before.find(text[part.at - 1]) == std::string_view::npos) return std::nullopt;
    const char* begin = text.data() + part.at;
    const char* behind = begin + part.digits;
    const auto [end, problem] = std::from_chars(begin, behind, values[count]);
    if (problem != std::errc() || end != behind || *begin == '-') return std::nullopt;
    if (values[count] < part.least || values[count] > part.most) return std::nullopt;
    ++count;
  }
  // Hours without minutes are no time of day.
  if (count == 0 || count == 4 || text.size() != kParts[count - 1].at + kParts[count - 1].digits)
    return std::nullopt;
  const auto [year, month, day, hour, minute, second] = values;
  const double first = Seconds(year, month);
  const double next = month < 12 ? Seconds(year, month + 1) : Seconds(year + 1, 1);
  DateSpan span{first + (day - 1) * 86400.0 + hour * 3600.0 + minute * 60.0 + second, 0};
  if (span.begin >= next) return std::nullopt;  // the 31st of a month of 30 days
  constexpr double kLengths[] = {0, 0, 86400, 0, 60, 1};
  span.length = count == 1 ? Seconds(year + 1, 1) - first : count == 2 ? next - first : kLengths[count - 1];
  return span;
}

}  // namespace imgmill
