// "sharpness>p10": one condition on one signal or one text of EXIF, as text and as a test of a value.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "imgmill/signals/signal_set.h"

namespace imgmill {

struct FilterRule {
  enum class Comparison {
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kEqual,
    kNotEqual,
    kHas,  ///< there is a value, whatever it is
  };

  std::string text;   ///< as given
  bool keeps = true;  ///< --keep: must hold; otherwise --drop: must not
  Signal signal = Signal::kWidth;
  /// What it is about in place of a signal: kEqual, kNotEqual or kHas.
  std::optional<PhotoText> photo_text;
  std::string pattern;  ///< that texts are compared with, as MatchesPattern reads it
  Comparison comparison = Comparison::kLess;
  /// The number to compare with, or, if `percentile`, 0..100: which one of the run's values that number is.
  double number = 0;
  bool percentile = false;
  /// What that value is multiplied by: another number than 1 for multiples of the median.
  double factor = 1;
  /// Of a date: how long it is, from `number` on. All of a day is that day; what is after it begins at its
  /// end.
  double span = 0;

  bool Holds(double value, double threshold) const;
  /// Whether an image of this value is dropped; NaN, for no value, holds nowhere.
  bool Drops(double value, double threshold) const {
    return (!std::isnan(value) && Holds(value, threshold)) != keeps;
  }
  /// The same of a text; an empty one, for none, holds nowhere.
  bool Drops(const std::string& value) const { return (!value.empty() && HoldsFor(value)) != keeps; }
  /// "sharpness", "camera".
  std::string_view field() const { return photo_text ? InfoOf(*photo_text).name : InfoOf(signal).name; }
  bool about_exif() const { return photo_text || InfoOf(signal).from_exif; }
  /// "--keep" or "--drop".
  const char* flag() const { return keeps ? "--keep" : "--drop"; }

 private:
  bool HoldsFor(const std::string& value) const;
};

/// SIGNAL COMPARISON NUMBER, with or without blanks; the comparison is < <= > >= = == or !=, the number one
/// with or without a point, "p" and a percentile, "m" and a multiple of the median, "true" (1) or "false"
/// (0), or, of a date, a date as ParseDate reads it. Of texts TEXT = PATTERN, also with ==, =~, != or !~, the
/// pattern in quotes of either kind or without. Of both has(NAME). kUsage says where it goes wrong.
Result<FilterRule> ParseRule(std::string_view text, bool keeps);

/// "50%" or "120" of --max-drop: how many of `judged` images may be dropped. kUsage if it is neither.
Result<double> MostDropped(std::string_view text, uint64_t judged);

}  // namespace imgmill
