// Reads a rule from left to right, and says at which character it stops making sense.
#include "filter_rule.h"

#include <charconv>
#include <cmath>

#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

using Comparison = FilterRule::Comparison;

struct Sign {
  std::string_view text;
  Comparison comparison;
};
// Longer ones first: "<=" is no "<" with a number "=256".
constexpr Sign kSigns[] = {{"<=", Comparison::kLessOrEqual}, {">=", Comparison::kGreaterOrEqual},
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

Error Usage(std::string message) {
  return {Stage::kConfigure, Code::kUsage, std::move(message)};
}

}  // namespace

bool FilterRule::Holds(double value, double threshold) const {
  switch (comparison) {
    case Comparison::kLess:
      return value < threshold;
    case Comparison::kLessOrEqual:
      return value <= threshold;
    case Comparison::kGreater:
      return value > threshold;
    case Comparison::kGreaterOrEqual:
      return value >= threshold;
    case Comparison::kEqual:
      return value == threshold;
    case Comparison::kNotEqual:
      return value != threshold;
  }
  return false;
}

Result<FilterRule> ParseRule(std::string_view text, bool keeps) {
  FilterRule rule;
  rule.text = text;
  rule.keeps = keeps;
  const auto wrong = [&](size_t at, const std::string& what) {
    return Usage(std::string(rule.flag()) + " \"" + PrintablePath(text) + "\": " + what + " (at character " +
                 std::to_string(at + 1) + ")");
  };
  const size_t name_at = SkipBlanks(text, 0);
  const size_t sign_at = text.find_first_of("<>=!", name_at);
  size_t name_end = sign_at == std::string_view::npos ? text.size() : sign_at;
  while (name_end > name_at && kBlanks.find(text[name_end - 1]) != std::string_view::npos) --name_end;
  const std::string_view name = text.substr(name_at, name_end - name_at);
  if (name.empty()) return wrong(name_at, "a rule begins with a signal, as in \"sharpness>100\"");
  const Result<Signal> signal = SignalFromName(name);
  if (!signal) return wrong(name_at, signal.error().message);
  rule.signal = *signal;

  if (sign_at == std::string_view::npos) {
    return wrong(name_end, "expected a comparison after the signal: < <= > >= = or !=");
  }
  size_t value_at = sign_at;
  for (const Sign& sign : kSigns) {
    if (!text.substr(sign_at).starts_with(sign.text)) continue;
    rule.comparison = sign.comparison;
    value_at = sign_at + sign.text.size();
    break;
  }
  if (value_at == sign_at) return wrong(sign_at, "expected a comparison: < <= > >= = or !=");
  value_at = SkipBlanks(text, value_at);
  const size_t value_end = text.find_last_not_of(kBlanks) + 1;
  const std::string_view value = value_at < value_end ? text.substr(value_at, value_end - value_at) : "";
  if (value == "true" || value == "false") {
    rule.number = value == "true" ? 1 : 0;
    return rule;
  }
  const bool of_median = value.starts_with('m');
  rule.percentile = value.starts_with('p') || of_median;
  if (!ParseNumber(value.substr(rule.percentile ? 1 : 0), rule.number)) {
    return wrong(
        value_at,
        "expected a number, a percentile such as p10, a multiple of the median such as m0.5, true or "
        "false");
  }
  if (of_median) {
    rule.factor = rule.number;
    rule.number = 50;
  }
  if (rule.percentile && (rule.number < 0 || rule.number > 100)) {
    return wrong(value_at, "a percentile is p0 to p100");
  }
  return rule;
}

Result<double> MostDropped(std::string_view text, uint64_t judged) {
  const bool share = text.ends_with('%');
  double number = 0;
  if (!ParseNumber(text.substr(0, text.size() - (share ? 1 : 0)), number) || number < 0 ||
      (share && number > 100) || (!share && number != std::floor(number))) {
    return Usage("--max-drop takes a share such as 50% or a whole number of images, not \"" +
                 PrintablePath(text) + "\"");
  }
  return share ? number * static_cast<double>(judged) / 100 : number;
}

}  // namespace imgmill
