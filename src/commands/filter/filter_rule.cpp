// Reads a rule from left to right, and says at which character it stops making sense.
#include "filter_rule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "base/try.h"
#include "base/usage_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "rule_text.h"

namespace imgmill {
namespace {

using Comparison = FilterRule::Comparison;

struct Sign {
  std::string_view text;
  Comparison comparison;
};
// Longer ones first: "<=" is no "<" with a number "=256".
constexpr Sign kSigns[] = {{"=~", Comparison::kEqual},       {"!~", Comparison::kNotEqual},
                           {"<=", Comparison::kLessOrEqual}, {">=", Comparison::kGreaterOrEqual},
                           {"==", Comparison::kEqual},       {"!=", Comparison::kNotEqual},
                           {"<", Comparison::kLess},         {">", Comparison::kGreater},
                           {"=", Comparison::kEqual}};
constexpr std::string_view kBlanks = " \t";

size_t SkipBlanks(std::string_view text, size_t at) {
  at = text.find_first_not_of(kBlanks, at);
  return at == std::string_view::npos ? text.size() : at;
}

bool ParseNumber(std::string_view text, double& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

}  // namespace

bool FilterRule::Holds(double value, double threshold) const {
  switch (comparison) {
    case Comparison::kLess:
      return value < threshold;
    case Comparison::kLessOrEqual:
      return span > 0 ? value < threshold + span : value <= threshold;
    case Comparison::kGreater:
      return span > 0 ? value >= threshold + span : value > threshold;
    case Comparison::kGreaterOrEqual:
      return value >= threshold;
    case Comparison::kEqual:
      return span > 0 ? value >= threshold && value < threshold + span : value == threshold;
    case Comparison::kNotEqual:
      return span > 0 ? value < threshold || value >= threshold + span : value != threshold;
    case Comparison::kHas:
      return true;
  }
  return false;
}

bool FilterRule::HoldsFor(const std::string& value) const {
  return comparison == Comparison::kHas ||
         MatchesPattern(PathFromPrintable(value), pattern) == (comparison == Comparison::kEqual);
}

namespace {

/// Reads one rule; `at` of an error is the place of the first character that makes no sense.
class RuleReader {
 public:
  explicit RuleReader(FilterRule& rule) : rule_(rule), text_(rule.text) {}
  Status Read();

 private:
  Error Wrong(size_t at, const std::string& what) const {
    return UsageError(std::string(rule_.flag()) + " \"" + PrintablePath(text_) + "\": " + what +
                      " (at character " + std::to_string(at + 1) + ")");
  }
  size_t BlanksCut(size_t from, size_t end) const {
    while (end > from && kBlanks.find(text_[end - 1]) != std::string_view::npos) --end;
    return end;
  }
  Status ReadName(size_t at, size_t end);
  Status ReadHas(size_t at);
  Status ReadPattern(size_t sign_at, const Sign& sign, size_t at);
  Status ReadNumber(size_t at);

  FilterRule& rule_;
  const std::string_view text_;
};

Status RuleReader::ReadName(size_t at, size_t end) {
  const std::string_view name = text_.substr(at, end - at);
  if (name.empty()) return Wrong(at, "a rule begins with a signal, as in \"sharpness>100\"");
  std::vector<std::string> names;
  for (const SignalInfo& info : AllSignals()) {
    names.emplace_back(info.name);
    if (info.name != name) continue;
    rule_.signal = info.signal;
    return {};
  }
  for (const PhotoTextInfo& info : AllPhotoTexts()) {
    names.emplace_back(info.name);
    if (info.name != name) continue;
    rule_.photo_text = info.text;
    return {};
  }
  std::string what = "unknown signal \"" + PrintablePath(name) + "\"";
  if (const auto guess = DidYouMean(name, names))
    return Wrong(at, what + "; did you mean \"" + *guess + "\"?");
  what += " (";
  for (const std::string& each : names) what += each + (each == names.back() ? ")" : ", ");
  return Wrong(at, what);
}

Status RuleReader::ReadHas(size_t at) {
  const size_t close = text_.find(')', at);
  if (close == std::string_view::npos) return Wrong(text_.size(), "expected a ) after the name");
  const size_t name_at = std::min(SkipBlanks(text_, at), close);
  TRY(ReadName(name_at, BlanksCut(name_at, close)));
  const size_t rest = SkipBlanks(text_, close + 1);
  if (rest < text_.size()) return Wrong(rest, "nothing follows has(" + std::string(rule_.field()) + ")");
  rule_.comparison = Comparison::kHas;
  rule_.number = std::numeric_limits<double>::quiet_NaN();
  return {};
}

Status RuleReader::ReadPattern(size_t sign_at, const Sign& sign, size_t at) {
  if (sign.comparison != Comparison::kEqual && sign.comparison != Comparison::kNotEqual)
    return Wrong(sign_at, std::string(rule_.field()) + " is a text: compare it by = or !=");
  const size_t end = BlanksCut(at, text_.size());
  std::string_view pattern = text_.substr(at, end - at);
  if (!pattern.empty() && (pattern.front() == '"' || pattern.front() == '\'')) {
    const char quote = pattern.front();
    size_t close = 1;
    while (close < pattern.size() && pattern[close] != quote) close += pattern[close] == '\\' ? 2 : 1;
    if (close >= pattern.size()) return Wrong(end, std::string("expected a ") + quote + " at the end");
    if (close + 1 < pattern.size()) return Wrong(at + close + 1, "nothing follows the text");
    pattern = pattern.substr(1, close - 1);
  }
  if (pattern.empty()) return Wrong(at, "expected a text, such as \"NIKON*\"");
  std::string plain(pattern);
  std::erase(plain, '\\');
  if (PrintablePath(plain) != plain) return Wrong(at, "expected a text of one line, in UTF-8");
  rule_.pattern = pattern;
  rule_.number = std::numeric_limits<double>::quiet_NaN();
  return {};
}

Status RuleReader::ReadNumber(size_t at) {
  const std::string_view value = text_.substr(at, BlanksCut(at, text_.size()) - at);
  const bool of_date = rule_.signal == Signal::kDate;
  if (!of_date && (value == "true" || value == "false")) {
    rule_.number = value == "true" ? 1 : 0;
    return {};
  }
  if (const auto date = of_date ? ParseDate(value) : std::nullopt) {
    rule_.number = date->begin;
    rule_.span = date->length;
    return {};
  }
  const bool of_median = value.starts_with('m') && !of_date;
  rule_.percentile = value.starts_with('p') || of_median;
  const bool number = ParseNumber(value.substr(rule_.percentile ? 1 : 0), rule_.number);
  if (of_date && !(number && rule_.percentile))
    return Wrong(at, "expected a date such as 2015-01-31 or 2015-01-31T12:30, or a percentile such as p10");
  if (!number) {
    return Wrong(at,
                 "expected a number, a percentile such as p10, a multiple of the median such as m0.5, true "
                 "or false");
  }
  if (of_median) {
    rule_.factor = rule_.number;
    rule_.number = 50;
  }
  if (rule_.percentile && (rule_.number < 0 || rule_.number > 100)) {
    return Wrong(at, "a percentile is p0 to p100");
  }
  return {};
}

Status RuleReader::Read() {
  constexpr std::string_view kHas = "has(";
  const size_t name_at = SkipBlanks(text_, 0);
  if (text_.substr(name_at).starts_with(kHas)) return ReadHas(name_at + kHas.size());
  const size_t sign_at = text_.find_first_of("<>=!", name_at);
  const size_t name_end = BlanksCut(name_at, sign_at == std::string_view::npos ? text_.size() : sign_at);
  TRY(ReadName(name_at, name_end));
  if (sign_at == std::string_view::npos) {
    return Wrong(name_end, "expected a comparison after the signal: < <= > >= = or !=");
  }
  const auto* sign = std::ranges::find_if(
      kSigns, [&](const Sign& each) { return text_.substr(sign_at).starts_with(each.text); });
  if (sign == std::end(kSigns)) return Wrong(sign_at, "expected a comparison: < <= > >= = or !=");
  rule_.comparison = sign->comparison;
  const size_t value_at = SkipBlanks(text_, sign_at + sign->text.size());
  if (rule_.photo_text) return ReadPattern(sign_at, *sign, value_at);
  if (sign->text.ends_with('~'))
    return Wrong(sign_at,
                 std::string(rule_.field()) + " is a number: =~ and !~ are for texts, such as camera");
  return ReadNumber(value_at);
}

}  // namespace

Result<FilterRule> ParseRule(std::string_view text, bool keeps) {
  FilterRule rule;
  rule.text = text;
  rule.keeps = keeps;
  TRY(RuleReader(rule).Read());
  return rule;
}

Result<double> MostDropped(std::string_view text, uint64_t judged) {
  const bool share = text.ends_with('%');
  double number = 0;
  if (!ParseNumber(text.substr(0, text.size() - (share ? 1 : 0)), number) || number < 0 ||
      (share && number > 100) || (!share && number != std::floor(number))) {
    return UsageError("--max-drop takes a share such as 50% or a whole number of images, not \"" +
                      PrintablePath(text) + "\"");
  }
  return share ? number * static_cast<double>(judged) / 100 : number;
}

}  // namespace imgmill
