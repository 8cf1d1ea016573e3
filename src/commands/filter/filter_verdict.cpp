// Percentiles, thresholds and verdicts.
#include "filter_verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

double Percentile(std::span<double> values, double p) {
  const auto end = std::partition(values.begin(), values.end(), [](double v) { return !std::isnan(v); });
  const auto count = static_cast<size_t>(end - values.begin());
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  const double place = p / 100 * static_cast<double>(count - 1);
  const auto below = static_cast<size_t>(place);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), at, end);
  const double share = place - static_cast<double>(below);
  if (share == 0) return *at;
  return *at + (*std::min_element(at + 1, end) - *at) * share;
}

std::vector<AppliedRule> AssignColumns(const std::vector<FilterRule>& rules, std::vector<Signal>& signals) {
  std::vector<AppliedRule> applied;
  for (const FilterRule& rule : rules) {
    if (rule.photo_text) {
      AppliedRule each;
      each.rule = rule;
      each.column = static_cast<size_t>(*rule.photo_text);
      applied.push_back(std::move(each));
      continue;
    }
    const auto found = std::find(signals.begin(), signals.end(), rule.signal);
    AppliedRule each;
    each.rule = rule;
    each.column = static_cast<size_t>(found - signals.begin());
    if (found == signals.end()) signals.push_back(rule.signal);
    applied.push_back(std::move(each));
  }
  return applied;
}

Status FindThresholds(const FilterTable& entries, std::vector<AppliedRule>& rules, MemoryManager& memory,
                      const StopFlag& stop) {
  for (AppliedRule& applied : rules) {
    applied.threshold = applied.rule.number;
    if (!applied.rule.percentile || entries.empty()) continue;
    Lease lease = TRY(memory.Acquire({entries.size() * sizeof(double), 0}, stop));
    PoolArray<double> values(entries.size());
    size_t next = 0;
    const Status read = entries.ForEach([&](const FilterEntry& entry) {
      values[next++] = entry.values[applied.column];
      return Status();
    });
    if (!read) return read;
    applied.threshold = applied.rule.factor * Percentile(values.span(), applied.rule.number);
  }
  return {};
}

uint64_t BrokenRules(std::span<const AppliedRule> rules, const FilterEntry& entry) {
  uint64_t broken = 0;
  for (size_t r = 0; r < rules.size(); ++r) {
    if (rules[r].Drops(entry)) broken |= uint64_t{1} << r;
  }
  return broken;
}

namespace {

template <typename Each>
void ForEachBroken(std::span<const AppliedRule> rules, const FilterEntry& entry, const Each& each) {
  const uint64_t broken = BrokenRules(rules, entry);
  for (size_t r = 0; r < rules.size(); ++r) {
    if ((broken >> r & 1) != 0) each(rules[r]);
  }
}

}  // namespace

std::string ShortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string ShortValue(Signal signal, double value) {
  return signal == Signal::kDate ? DateText(value) : ShortNumber(value);
}

nlohmann::ordered_json JsonValue(Signal signal, double value) {
  if (std::isnan(value)) return {};
  return signal == Signal::kDate ? nlohmann::ordered_json(DateText(value)) : nlohmann::ordered_json(value);
}

bool AppliedRule::Drops(const FilterEntry& entry) const {
  return rule.photo_text ? rule.Drops(entry.texts[column]) : rule.Drops(entry.values[column], threshold);
}

bool AppliedRule::HasValue(const FilterEntry& entry) const {
  return rule.photo_text ? !entry.texts[column].empty() : !std::isnan(entry.values[column]);
}

std::string AppliedRule::ValueText(const FilterEntry& entry) const {
  if (rule.photo_text) return entry.texts[column];
  return HasValue(entry) ? ShortValue(rule.signal, entry.values[column]) : std::string();
}

nlohmann::ordered_json AppliedRule::ValueJson(const FilterEntry& entry) const {
  if (!HasValue(entry)) return {};
  return rule.photo_text ? nlohmann::ordered_json(entry.texts[column])
                         : JsonValue(rule.signal, entry.values[column]);
}

std::string AppliedRule::ThresholdText() const {
  if (!rule.percentile) return "";
  return " (" + (std::isnan(threshold) ? ShortNumber(threshold) : ShortValue(rule.signal, threshold)) + ")";
}

namespace {

std::string WhyNoValue(const FilterRule& rule) {
  if (rule.about_exif()) return "no EXIF tells it";
  const Signal signal = rule.signal;
  if (signal == Signal::kJpegQuality) return "the file is no JPEG";
  if (signal == Signal::kBitDepth) return "its samples are no whole numbers";
  if (signal == Signal::kBlur || signal == Signal::kJpegVisible)
    return "the image is too small or of one colour";
  return "the image is too small";
}

}  // namespace

std::string WhyDropped(const AppliedRule& rule, const FilterEntry& entry) {
  const std::string name(rule.rule.field());
  if (!rule.HasValue(entry)) return "no " + name + ", " + WhyNoValue(rule.rule) + ": fails " + rule.rule.text;
  return name + " " + rule.ValueText(entry) + (rule.rule.keeps ? " fails " : " meets --drop ") +
         rule.rule.text + rule.ThresholdText();
}

std::string WhyDropped(std::span<const AppliedRule> rules, const FilterEntry& entry) {
  std::string why;
  ForEachBroken(rules, entry,
                [&](const AppliedRule& rule) { why += (why.empty() ? "" : "; ") + WhyDropped(rule, entry); });
  return why;
}

nlohmann::ordered_json DroppedJson(std::span<const AppliedRule> rules, const FilterEntry& entry) {
  nlohmann::ordered_json broken = nlohmann::ordered_json::array();
  ForEachBroken(rules, entry, [&](const AppliedRule& rule) {
    broken.push_back(
        {{"rule", rule.rule.text}, {"signal", rule.rule.field()}, {"value", rule.ValueJson(entry)}});
  });
  return {{"path", PrintablePath(entry.file.path)}, {"rules", std::move(broken)}};
}

std::string DroppedByRule(std::span<const AppliedRule> rules, uint64_t dropped) {
  std::string text;
  uint64_t sum = 0;
  for (const AppliedRule& rule : rules) {
    text += (text.empty() ? "" : ", ") + rule.rule.text + ": " + std::to_string(rule.dropped);
    sum += rule.dropped;
  }
  return text + (sum > dropped ? "; some by several rules" : "");
}

}  // namespace imgmill
