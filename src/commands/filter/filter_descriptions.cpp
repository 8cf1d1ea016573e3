// Hands each signal's distribution to whoever describes something of it.
#include "filter_descriptions.h"

#include <nlohmann/json.hpp>

#include "base/try.h"

namespace imgmill {

Status Descriptions::Measure(const FilterTable& entries, std::span<const AppliedRule> rules,
                             MemoryManager& memory, const StopFlag& stop) {
  if (!wanted()) return {};
  explanations_.reset();
  suggestions_.reset();
  page_.reset();
  if (!options_.explain.empty()) {
    explanations_.emplace(options_.explain, signals_);
    TRY(explanations_->FindImages(entries, failed_ != nullptr ? *failed_ : FailureTable()));
  }
  if (options_.suggest) suggestions_.emplace(options_.suggest_share, signals_);
  if (!options_.html.empty()) page_.emplace(signals_);
  TRY(ForEachDistribution(entries, signals_.size(), memory, stop,
                          [&](size_t column, const Distribution& values) {
                            if (explanations_) explanations_->Add(column, values);
                            if (suggestions_) suggestions_->Add(column, values);
                            if (page_) page_->Add(column, values, rules);
                          }));
  if (page_) {
    TRY(entries.ForEach([&](const FilterEntry& entry) {
      page_->Add(entry);
      return Status();
    }));
  }
  return suggestions_ ? suggestions_->Count(entries) : Status();
}

void Descriptions::Report(std::span<const AppliedRule> rules, CommandResult& result) const {
  std::string text;
  if (explanations_) {
    text += explanations_->Text(rules);
    result.details["explained"] = explanations_->Json(rules);
  }
  if (suggestions_) {
    text += suggestions_->Text();
    result.details["suggested"] = suggestions_->Json();
  }
  if (!text.empty()) result.text = [text](const TextSink& put) { return put(text); };
}

Status Descriptions::PreparePage(const FilterTable& entries, std::span<const AppliedRule> rules,
                                 const CommandServices& services, CommandResult& result) {
  return page_ ? page_->Prepare(entries, rules, services, result) : Status();
}

Status Descriptions::WritePage(uint64_t images, std::span<const AppliedRule> rules, const ActedPlaces& places,
                               CommandResult& result) const {
  return page_ ? page_->Write(options_.html, images, rules, places, result) : Status();
}

}  // namespace imgmill
