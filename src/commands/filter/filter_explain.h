// `filter --explain IMAGE`: every signal of one image, its place among the run's images, and what the rules
// say.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/text_counts.h"
#include "filter_distribution.h"
#include "filter_verdict.h"
#include "imgmill/commands/command.h"

namespace imgmill {

/// What is known of one signal over all images, for people who look at one of them.
struct SignalSpread {
  Signal signal = Signal::kWidth;
  size_t images = 0;  ///< that have a value
  double lowest = 0, median = 0, highest = 0;
};

class Explanations {
 public:
  /// @param paths  images as the user names them.
  /// @param signals  the entries' columns
  Explanations(std::vector<std::string> paths, std::vector<Signal> signals);

  /// Finds the images among the entries. The error names one that is not there.
  /// @param failed  of the run: why one could not be read
  Status FindImages(const FilterTable& entries, const FailureTable& failed);
  /// The distributions of all columns, one after the other.
  void Add(size_t column, const Distribution& values);

  std::string Text(std::span<const AppliedRule> rules) const;
  nlohmann::ordered_json Json(std::span<const AppliedRule> rules) const;

 private:
  struct Image {
    std::string asked;
    std::optional<FilterEntry> entry;
    std::vector<double> places;  ///< a percentile each column
  };

  std::string TextsOf(const FilterEntry& entry) const;

  std::vector<Signal> signals_;
  TextCounts texts_;
  std::vector<size_t> in_order_;  ///< columns in the order of the table of signals
  std::vector<SignalSpread> spreads_;
  std::vector<Image> images_;
};

}  // namespace imgmill
