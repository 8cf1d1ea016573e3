// `filter --suggest`: thresholds that would drop a small share of a run's images, as rules to paste.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "filter_distribution.h"
#include "filter_verdict.h"

namespace imgmill {

/// A number of three digits next to `value`, on the side that drops less: below it, or above.
double RoundedDown(double value);
double RoundedUp(double value);

class Suggestions {
 public:
  /// @param share  percent of the images that each rule may drop
  /// @param signals  the entries' columns
  Suggestions(double share, std::vector<Signal> signals) : share_(share), signals_(std::move(signals)) {}

  /// The distributions of all columns, one after the other.
  void Add(size_t column, const Distribution& values);
  /// Once all are there: how many images the rules drop together.
  Status Count(const FilterTable& entries);

  std::string Text() const;
  nlohmann::ordered_json Json() const;

 private:
  struct Suggestion {
    AppliedRule applied;
    double lowest = 0, median = 0, highest = 0;
  };
  void Suggest(size_t column, const Distribution& values, bool low);

  double share_;
  std::vector<Signal> signals_;
  std::vector<Suggestion> suggestions_;
  uint64_t images_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace imgmill
