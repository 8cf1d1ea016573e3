// What filter's rules mean for a tile.
#include "tile_rules.h"

#include <algorithm>
#include <limits>

#include "base/try.h"
#include "base/usage_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

Result<std::vector<FilterRule>> TileRules(const TileOptions& options) {
  std::vector<FilterRule> rules;
  for (const bool keeps : {true, false}) {
    for (const std::string& text : keeps ? options.keep : options.drop) {
      FilterRule rule = TRY(ParseRule(text, keeps));
      const std::string given = std::string(rule.flag()) + " \"" + PrintablePath(text) + "\": ";
      if (rule.percentile) return UsageError(given + "a tile is judged by itself: give a number");
      if (rule.photo_text || !InfoOf(rule.signal).from_pixels) {
        return UsageError(given + "tiles are judged by their pixels; for " + std::string(rule.field()) +
                          " of whole images use filter");
      }
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

SignalSet SignalsOf(const std::vector<FilterRule>& rules) {
  SignalSet signals;
  for (const FilterRule& rule : rules) signals.Insert(rule.signal);
  return signals;
}

bool AnyDrops(const std::vector<FilterRule>& rules, const SignalValues& values) {
  return std::any_of(rules.begin(), rules.end(), [&](const FilterRule& rule) {
    return rule.Drops(values[rule.signal].value_or(std::numeric_limits<double>::quiet_NaN()), rule.number);
  });
}

}  // namespace imgmill
