// The lines and JSON objects of pairs that the second look refused.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/dedup/found_duplicates.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// The least limit that lets a difference through, in three digits.
std::string LimitText(double difference) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", std::ceil(difference * 1000) / 1000);
  return text;
}

}  // namespace

std::string FoundDuplicates::WhyRefused(const RefusedMember& pair, const DedupEntry& entry,
                                        const DedupEntry& keeper) const {
  if (!pair.laid) {
    DuplicateGroups::Member near = pair.member;
    near.look = {};
    return HowNear(near) + ", cannot be laid upon it";
  }
  const std::string how = How(pair.member, entry, keeper);
  const double difference = pair.member.look.difference;
  if (difference > 1 && evidence_.aligned) return how;  // no limit lets it through
  return how + ": " + (evidence_.aligned ? "--max-difference " : "--max-lpips ") + LimitText(difference) +
         " takes it";
}

std::string FoundDuplicates::RefusedSummary(bool lists) const {
  const RefusedPairs& refused = groups_->refused;
  if (refused.count() == 0) return {};
  std::string text = "; " + std::to_string(refused.count()) +
                     (refused.count() == 1 ? " near pair refused" : " near pairs refused");
  if (refused.closest().empty()) return text;  // all of them are duplicates of others
  const RefusedMember& first = refused.closest().front();
  std::string more;
  if (first.laid) {
    char least[48];
    std::snprintf(least, sizeof least, "least difference %.3f", first.member.look.difference);
    more = least;
  }
  if (!lists) more += std::string(more.empty() ? "" : ", ") + "see --refused";
  return more.empty() ? text : text + " (" + more + ")";
}

Status FoundDuplicates::PutRefusedText(size_t most, const TextSink& put) const {
  return ForEachRefused(
      most, [&](const RefusedMember& pair, const DedupEntry& entry, const DedupEntry& keeper) -> Status {
        TRY(put("near " + PrintablePath(keeper.file.path) + "  (" + SizeText(keeper) + ")\n"));
        return put("  not " + PrintablePath(entry.file.path) + "  (" + SizeText(entry) + ", " +
                   WhyRefused(pair, entry, keeper) + ")\n");
      });
}

Status FoundDuplicates::PutRefused(size_t most, JsonElements& elements) const {
  return ForEachRefused(most,
                        [&](const RefusedMember& pair, const DedupEntry& entry, const DedupEntry& keeper) {
                          nlohmann::ordered_json json = {{"keeper", PrintablePath(keeper.file.path)}};
                          json.update(MemberJson(pair.member, entry, keeper, evidence_.aligned && pair.laid));
                          return elements.Put(json);
                        });
}

}  // namespace imgmill
