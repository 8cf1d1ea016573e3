// What filter says of the signals themselves, beside which images it keeps: --explain, --suggest and --html.
#pragma once

#include <span>
#include <vector>

#include "filter_explain.h"
#include "filter_page.h"
#include "filter_suggest.h"
#include "imgmill/commands/command.h"
#include "imgmill/commands/filter.h"

namespace imgmill {

class Descriptions {
 public:
  /// @param options, signals  outlive this; the entries' columns
  Descriptions(const FilterOptions& options, const std::vector<Signal>& signals)
      : options_(options), signals_(signals) {}

  bool wanted() const { return options_.DescribesSignals(); }
  /// Reads all entries, once a signal. May be called again after it failed.
  /// @param rules  with their thresholds
  Status Measure(const FilterTable& entries, std::span<const AppliedRule> rules, MemoryManager& memory,
                 const StopFlag& stop);
  /// Before Measure: images of the run that failed, to be kept until then.
  void Know(const FailureTable& failed) { failed_ = &failed; }
  /// Puts them in the place of the list, and into the JSON document.
  void Report(std::span<const AppliedRule> rules, CommandResult& result) const;
  /// Before files are acted on, if a page is wanted: its examples and their pictures. The rules have counted
  /// what they drop. `result` is told if the run was interrupted.
  Status PreparePage(const FilterTable& entries, std::span<const AppliedRule> rules,
                     const CommandServices& services, CommandResult& result);
  /// Writes the page, if one is wanted, with links to where files are now.
  Status WritePage(uint64_t images, std::span<const AppliedRule> rules, const ActedPlaces& places,
                   CommandResult& result) const;

 private:
  const FilterOptions& options_;
  const std::vector<Signal>& signals_;
  std::optional<Explanations> explanations_;
  std::optional<Suggestions> suggestions_;
  std::optional<FilterPage> page_;
  const FailureTable* failed_ = nullptr;
};

}  // namespace imgmill
