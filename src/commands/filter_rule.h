// "sharpness>p10": one condition on one signal, as text and as a test of a value.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "imgmill/signals/signal_set.h"

namespace imgmill {

struct FilterRule {
  enum class Comparison { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };

  std::string text;   ///< as given
  bool keeps = true;  ///< --keep: must hold; otherwise --drop: must not
  Signal signal = Signal::kWidth;
  Comparison comparison = Comparison::kLess;
  /// The number to compare with, or, if `percentile`, 0..100: which one of the run's values that number is.
  double number = 0;
  bool percentile = false;
  /// What that value is multiplied by: another number than 1 for multiples of the median.
  double factor = 1;

  bool Holds(double value, double threshold) const;
  /// Whether an image of this value is dropped; NaN, for no value, holds nowhere.
  bool Drops(double value, double threshold) const {
    return (!std::isnan(value) && Holds(value, threshold)) != keeps;
  }
  /// "--keep" or "--drop".
  const char* flag() const { return keeps ? "--keep" : "--drop"; }
};

/// SIGNAL COMPARISON NUMBER, with or without blanks; the comparison is < <= > >= = == or !=, the number one
/// with or without a point, "p" and a percentile, "m" and a multiple of the median, "true" (1) or "false"
/// (0). kUsage says where it goes wrong.
Result<FilterRule> ParseRule(std::string_view text, bool keeps);

/// "50%" or "120" of --max-drop: how many of `judged` images may be dropped. kUsage if it is neither.
Result<double> MostDropped(std::string_view text, uint64_t judged);

}  // namespace imgmill
