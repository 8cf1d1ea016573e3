// The lines and JSON objects of pairs that the second look refused.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "commands/dedup/found_duplicates.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// The least limit that lets a difference through, in so many parts of one.
std::string LimitText(double difference, double parts = 1000) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", std::ceil(difference * parts) / parts);
  return text;
}

}  // namespace

std::string LookLimits::ToAllow(const SecondLook& look) const {
  if (look.difference > 1) return {};
  std::string options;
  const auto add = [&](const char* option, const std::string& limit) {
    options += (options.empty() ? "" : " ") + std::string(option) + " " + limit;
  };
  if (look.difference > difference) add("--max-difference", LimitText(look.difference));
  if (look.colours > colours) add("--max-colour-difference", LimitText(look.colours, 10));
  if (look.changed > changed) add("--max-changed", LimitText(look.changed));
  return options;
}

std::string FoundDuplicates::WhyRefused(const RefusedMember& pair, const DedupEntry& entry,
                                        const DedupEntry& keeper) const {
  if (!pair.laid) {
    DuplicateGroups::Member near = pair.member;
    near.look = {};
    return HowNear(near) + ", cannot be laid upon it";
  }
  std::string how = How(pair.member, entry, keeper);
  const SecondLook& look = pair.member.look;
  if (!evidence_.aligned) return how + ": --max-lpips " + LimitText(look.difference) + " takes it";
  char text[48];
  if (look.colours > evidence_.limits.colours) {
    std::snprintf(text, sizeof text, ", colours differ by %.1f levels", look.colours);
    how += text;
  }
  if (look.changed > evidence_.limits.changed) {
    std::snprintf(text, sizeof text, ", %.2f of a place changed", look.changed);
    how += text;
  }
  const std::string options = evidence_.limits.ToAllow(look);
  if (options.empty()) return how;  // no limit lets it through
  // Of what is far from alike, colours and places were not looked at.
  if (look.colours < 0) return how + ": " + options + " would let it be looked at more closely";
  return how + ": " + options + (options.find(" --") == std::string::npos ? " takes it" : " take it");
}

std::string FoundDuplicates::RefusedSummary(bool lists) const {
  const RefusedPairs& refused = groups_->refused;
  if (refused.count() == 0) return {};
  std::string text = "; " + Counted(refused.count(), "near pair refused", "near pairs refused");
  if (refused.closest().empty()) return text;  // all of them are duplicates of others
  // Those that only colours or a place tell apart come first.
  const auto far = std::find_if(refused.closest().begin(), refused.closest().end(), [&](const auto& pair) {
    return !evidence_.aligned || !pair.laid || pair.member.look.difference > evidence_.limits.difference;
  });
  std::string more;
  if (far != refused.closest().end() && far->laid) {
    char least[48];
    std::snprintf(least, sizeof least, "least difference %.3f", far->member.look.difference);
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
