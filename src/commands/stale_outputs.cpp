// Names of this run are known by how they begin, whatever tiles or frames were chosen.
#include "stale_outputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "foreseen_names.h"
#include "imgmill/base/path_text.h"
#include "leftovers.h"

namespace imgmill {
namespace {

/// Whether it begins with so many numbers, an underscore between two.
bool BeginsWithNumbers(std::string_view text, int numbers) {
  for (int i = 0; i < numbers; ++i) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return false;
    text.remove_prefix(digits);
    if (i + 1 == numbers) break;
    if (!text.starts_with('_')) return false;
    text.remove_prefix(1);
  }
  return true;
}

bool Has(const std::vector<uint64_t>& sorted, uint64_t hash) {
  return std::binary_search(sorted.begin(), sorted.end(), hash);
}

}  // namespace

void StaleOutputs::Add(const std::string& path, const SetPrefixes& prefixes) {
  if (services_.in_pipeline) return;
  sources_.push_back(HashOfName(CanonicalOrSame(path)));
  for (const std::string& prefix : prefixes) prefixes_.push_back(HashOfName(prefix));
}

bool StaleOutputs::HasNameOfThese(std::string_view name) const {
  if (IsNameOfThese(name)) return true;
  // Sides that this run does not write are told as earlier choices.
  const size_t side = name.find('/');
  return !kind_.main_side.empty() && side != std::string_view::npos &&
         IsNameOfThese(std::string(kind_.main_side) + std::string(name.substr(side + 1)));
}

bool StaleOutputs::IsNameOfThese(std::string_view name) const {
  for (size_t at = name.find('_'); at != std::string_view::npos; at = name.find('_', at + 1)) {
    if (BeginsWithNumbers(name.substr(at + 1), kind_.numbers) &&
        Has(prefixes_, HashOfName(name.substr(0, at + 1))))
      return true;
  }
  return false;
}

Status StaleOutputs::Tell(const std::string& folder, bool prune, CommandResult& result) {
  const SharedOptions& shared = *services_.shared;
  if (services_.in_pipeline || result.counts.interrupted || result.counts.listed == 0) return {};
  std::sort(sources_.begin(), sources_.end());
  std::sort(prefixes_.begin(), prefixes_.end());
  const std::string why_not = prune ? WhyNotPrune(shared.list) : "";
  const bool dry_run = shared.mode != RunMode::kRun;
  const Pruning pruning = !prune || !why_not.empty() ? Pruning::kNo
                          : dry_run                  ? Pruning::kRehearse
                                                     : Pruning::kYes;
  Leftovers leftovers(*services_.catalog, shared.list.paths, {});
  TRY(leftovers.Spare(result.failed));
  const LeftFiles left = TRY(leftovers.LookAtStale(
      WithoutRedundancy(folder),
      {kind_.is_its_work, [this](const std::string& name) { return HasNameOfThese(name); },
       [this](const std::string& source) { return Has(sources_, HashOfName(source)); }},
      pruning));
  if (left.unread.count > 0) services_.log(LogLevel::kWarning, left.unread.Warning());
  if (pruning != Pruning::kNo && left.others.files > 0) {
    result.details["stale_of_others"] = left.others.files;
    services_.log(LogLevel::kInfo, left.others.Text(folder, folder, *services_.catalog));
  }
  if (left.files == 0) return {};
  const auto files = [](uint64_t count) { return Counted(count, "file"); };
  const std::string whose = " of " + std::string(kind_.noun) + " that are gone, or whose " +
                            std::string(kind_.files) + " are called otherwise now";
  if (left.removed > 0) {
    result.details[dry_run ? "stale_to_remove" : "stale_removed"] = left.removed;
    result.summary += ", " + files(left.removed) + whose + (dry_run ? ", would be removed" : ", removed");
  }
  const uint64_t there = left.files - left.removed;
  if (there == 0) return {};
  result.details["stale"] = there;
  const std::string advice = !why_not.empty() ? " (not removed, as " + why_not + ")"
                             : prune          ? " (changed since they were written, and so not removed)"
                                              : " (--prune removes them)";
  services_.log(LogLevel::kWarning, files(there) + whose + (there == 1 ? ", lies in " : ", lie in ") +
                                        PrintablePath(folder) + ", such as " + PrintablePath(left.example) +
                                        advice);
  return {};
}

}  // namespace imgmill
