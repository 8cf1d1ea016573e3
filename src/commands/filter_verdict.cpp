// Percentiles, thresholds and verdicts.
#include "filter_verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

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
    const auto found = std::find(signals.begin(), signals.end(), rule.signal);
    AppliedRule each;
    each.rule = rule;
    each.column = static_cast<size_t>(found - signals.begin());
    if (found == signals.end()) signals.push_back(rule.signal);
    applied.push_back(std::move(each));
  }
  return applied;
}

Status Judge(const std::vector<std::vector<double>>& columns, std::vector<AppliedRule>& rules,
             std::vector<FilterEntry>& entries, MemoryManager& memory, const StopFlag& stop) {
  const bool percentiles =
      std::any_of(rules.begin(), rules.end(), [](const AppliedRule& r) { return r.rule.percentile; });
  Lease lease;
  PoolArray<double> sorted;
  if (percentiles && !entries.empty()) {
    Result<Lease> granted = memory.Acquire({entries.size() * sizeof(double), 0}, stop);
    if (!granted) return granted.error();
    lease = *std::move(granted);
    sorted = PoolArray<double>(entries.size());
  }
  for (FilterEntry& entry : entries) entry.broken_rules = 0;
  for (size_t r = 0; r < rules.size(); ++r) {
    AppliedRule& applied = rules[r];
    const std::vector<double>& values = columns[applied.column];
    applied.threshold = applied.rule.number;
    applied.dropped = applied.no_value = 0;
    if (applied.rule.percentile && !entries.empty()) {
      std::copy(values.begin(), values.end(), sorted.begin());
      applied.threshold = Percentile(sorted.span(), applied.rule.number);
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      if (std::isnan(values[i])) ++applied.no_value;
      if (!applied.rule.Drops(values[i], applied.threshold)) continue;
      ++applied.dropped;
      entries[i].broken_rules |= uint64_t{1} << r;
    }
  }
  return {};
}

std::string ShortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string WhyDropped(const AppliedRule& rule, double value) {
  const std::string name(InfoOf(rule.rule.signal).name);
  if (std::isnan(value)) return "no " + name + ", too small an image: fails " + rule.rule.text;
  std::string text =
      name + " " + ShortNumber(value) + (rule.rule.keeps ? " fails " : " meets --drop ") + rule.rule.text;
  if (rule.rule.percentile) text += " (" + ShortNumber(rule.threshold) + ")";
  return text;
}

}  // namespace imgmill
