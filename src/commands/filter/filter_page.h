// `filter --html FILE`: a page with each signal's histogram, the rules' cuts, and examples either side of
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/acted_places.h"
#include "commands/page_pictures.h"
#include "commands/text_counts.h"
#include "filter_distribution.h"
#include "filter_verdict.h"
#include "imgmill/commands/command.h"
#include "imgmill/report/signal_page.h"

namespace imgmill {

class FilterPage {
 public:
  /// @param signals  the entries' columns
  explicit FilterPage(std::vector<Signal> signals);
  ~FilterPage();

  /// The distributions of all columns, one after the other.
  /// @param rules  with their thresholds
  void Add(size_t column, const Distribution& values, std::span<const AppliedRule> rules);
  /// The texts of an image.
  void Add(const FilterEntry& entry) { texts_.Add(entry.texts); }
  /// Finds the examples, and makes their pictures by a run of the engine: before files are acted on.
  /// `result` is told if that was interrupted; then there is to be no page.
  Status Prepare(const FilterTable& entries, std::span<const AppliedRule> rules,
                 const CommandServices& services, CommandResult& result);
  /// Writes the page. `result` is told of the file.
  /// @param images  that were judged
  /// @param places  where their files are now
  Status Write(const std::string& file, uint64_t images, std::span<const AppliedRule> rules,
               const ActedPlaces& places, CommandResult& result) const;

 private:
  /// What the chart of one signal shows.
  struct Spread {
    size_t images = 0;
    double lowest = 0, median = 0, highest = 0;
    double from = 0, to = 0;  ///< of the chart: outliers are in its last bars
    std::vector<uint64_t> bars;
  };

  struct Cut;

  std::vector<Cut> CutsOf(std::span<const AppliedRule> rules) const;
  std::vector<size_t> Order(std::span<const AppliedRule> rules) const;
  SignalCard CardOf(size_t column, uint64_t images) const;
  SignalCard CardOf(const PhotoTextInfo& info, uint64_t images) const;
  SignalCut ShownCut(const Cut& cut, const std::string& folder, const ActedPlaces& places) const;

  std::vector<Signal> signals_;
  std::vector<Spread> spreads_;
  TextCounts texts_;
  std::vector<Cut> cuts_;
  std::optional<PagePictures> pictures_;
};

}  // namespace imgmill
