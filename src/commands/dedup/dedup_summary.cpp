// The fields of dedup's document, its text and its last line.
#include "dedup_summary.h"

#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"
#include "commands/freed_bytes.h"
#include "dedup_links.h"
#include "dedup_method.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// The command's last line.
/// @param freed  bytes
Result<std::string> SummaryOf(const DedupOptions& options, const FoundDuplicates& found,
                              const LinkCounts& links, uint64_t freed) {
  const size_t groups = found.groups(), duplicates = found.duplicates();
  std::string summary =
      Counted(groups, "group") + ", " + Counted(duplicates, "duplicate") + " (" + FormatByteSize(freed) + ")";
  if (links.all() > 0)
    summary +=
        ", " + Counted(links.all(), "of them a link that takes", "of them links that take") + " no room";
  summary += found.RefusedSummary(options.refused && options.listed_refused() > 0);
  if (options.Method().has_quality()) {
    const size_t weak = TRY(found.WeakImages());
    if (weak > 0) summary += "; " + std::to_string(weak) + " of PDQ quality below 50";
  }
  return summary;
}

}  // namespace

Status DescribeFound(const DedupOptions& options, const FoundDuplicates& found,
                     const CommandServices& services, CommandResult& result) {
  FreedBytes freed;
  const Status counted =
      found.ForEachDuplicate([&](const auto& member, const DedupEntry& entry, const DedupEntry& keeper) {
        freed.Add(entry.file.path);
        const auto why = [&] {
          return "duplicate of " + PrintablePath(keeper.file.path) + " (" + found.How(member, entry, keeper) +
                 ")";
        };
        result.MarkDropped(services, entry.file, why);
        return Status();
      });
  if (!counted) return counted;
  result.dropped = found.duplicates();
  result.kept_images = found.kept();
  result.details["method"] = options.method;
  const DedupBy by = options.Method().by;
  if (by == DedupBy::kVectors) {
    result.details["min_similarity"] = options.similarity();
    if (!options.invariant.empty()) result.details["invariant"] = options.invariant;
  } else if (by != DedupBy::kContent) {
    result.details["decode"] = options.decode;
    if (!options.invariant.empty()) result.details["invariant"] = options.invariant;
    result.details["max_distance"] = options.distance(found.images());
    if (by == DedupBy::kNetwork) result.details["max_lpips"] = options.lpips();
  }
  if (options.group_by != "keeper") result.details["group_by"] = options.group_by;
  result.details["duplicates"] = result.dropped;
  result.details["duplicate_bytes"] = freed.total();
  const LinkCounts links = CountLinks(found.all());
  if (links.all() > 0) result.details["links"] = {{"symbolic", links.symbolic}, {"hard", links.hard}};
  if (options.Method().has_quality())
    result.details.SetRows("weak", [found](JsonElements& elements) { return found.PutWeakImages(elements); });
  result.details.SetRows("groups", [found](JsonElements& elements) { return found.PutGroups(elements); });
  const size_t listed = options.refused ? options.listed_refused() : 0;
  result.text = [found, listed](const TextSink& put) -> Status {
    TRY(found.PutText(put));
    return found.PutRefusedText(listed, put);
  };
  if (options.looks_again()) {
    result.details["refused_pairs"] = found.refused_pairs();
    result.details.SetRows("refused", [found, most = options.listed_refused()](JsonElements& elements) {
      return found.PutRefused(most, elements);
    });
  }
  result.summary = TRY(SummaryOf(options, found, links, freed.total()));
  result.findings = options.check && found.groups() > 0;
  return {};
}

void DescribeIndex(const IvfReport& ivf, const CommandServices& services, CommandResult& result) {
  if (ivf.recall() < IvfReport::kWantedRecall)
    services.log(LogLevel::kWarning,
                 "--index ivf finds only " + std::to_string(ivf.found) + " of " + std::to_string(ivf.pairs) +
                     " near pairs of a sample: so many images are as near as --min-similarity that lists do "
                     "not tell them apart (--index exact finds all)");
  result.details["index"] = {{"name", "ivf"},
                             {"lists", ivf.lists},
                             {"probes", ivf.probes},
                             {"sampled_vectors", ivf.sample},
                             {"sampled_pairs", ivf.pairs},
                             {"sampled_pairs_found", ivf.found}};
  result.summary += "; ivf finds " + std::to_string(ivf.found) + " of " + std::to_string(ivf.pairs) +
                    " near pairs of " + std::to_string(ivf.sample) + " sampled images";
}

}  // namespace imgmill
