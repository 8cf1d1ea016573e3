// The reduce phase of filter: thresholds out of all values, then which image breaks which rule.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "filter_operation.h"
#include "filter_rule.h"

namespace imgmill {

/// The p-th percentile of the values that are no NaN, interpolated between neighbours as NumPy's
/// percentile() does by default; NaN if there is none. Reorders the values.
double Percentile(std::span<double> values, double p);

/// A rule as it was applied to one run.
struct AppliedRule {
  FilterRule rule;
  size_t column = 0;      ///< of the entries' values or texts
  double threshold = 0;   ///< the number, or the percentile's value; NaN where no image has a value
  uint64_t dropped = 0;   ///< images that it drops, be it alone or with others
  uint64_t no_value = 0;  ///< images that have no value for its signal

  bool Drops(const FilterEntry& entry) const;
  bool HasValue(const FilterEntry& entry) const;
  /// For people; empty where there is no value.
  std::string ValueText(const FilterEntry& entry) const;
  nlohmann::ordered_json ValueJson(const FilterEntry& entry) const;
  /// " (33.1)" behind a rule whose number was found among the run's values.
  std::string ThresholdText() const;
};

/// The rules with their signals' columns: `signals` gets each signal once.
std::vector<AppliedRule> AssignColumns(const std::vector<FilterRule>& rules, std::vector<Signal>& signals);

/// Sets the rules' thresholds. The values of one signal at a time are in memory, leased and pooled.
Status FindThresholds(const FilterTable& entries, std::vector<AppliedRule>& rules, MemoryManager& memory,
                      const StopFlag& stop);

/// A bit for each rule that drops the image: a --keep rule that does not hold, for want of a value, too, and
/// a
/// --drop rule that does.
uint64_t BrokenRules(std::span<const AppliedRule> rules, const FilterEntry& entry);

/// Why a rule drops an image: "sharpness 12.3 fails sharpness>p10 (33.1)".
std::string WhyDropped(const AppliedRule& rule, const FilterEntry& entry);

/// The same of all the rules that drop the image, with a semicolon between them.
std::string WhyDropped(std::span<const AppliedRule> rules, const FilterEntry& entry);

/// Its path, and rule, signal and value of each of them.
nlohmann::ordered_json DroppedJson(std::span<const AppliedRule> rules, const FilterEntry& entry);

/// How many images each rule drops: "short_side>=256: 3, sharpness>p10: 2".
/// @param dropped  by all of them. Where that is less than their sum, the text says why.
std::string DroppedByRule(std::span<const AppliedRule> rules, uint64_t dropped);

/// Up to six digits: for people.
std::string ShortNumber(double value);

/// The same; a date as such.
std::string ShortValue(Signal signal, double value);

/// To the last digit; a date as text, NaN as null.
nlohmann::ordered_json JsonValue(Signal signal, double value);

}  // namespace imgmill
