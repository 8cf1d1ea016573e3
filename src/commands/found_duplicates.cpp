// The lines and JSON objects of what dedup found.
#include "found_duplicates.h"

#include <cmath>

#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// Bits as they are; of vectors six digits, beyond which they are rounding.
nlohmann::ordered_json DistanceJson(double distance, bool by_vectors) {
  if (!by_vectors) return std::lround(distance);
  return std::round(distance * 1e6) / 1e6;
}

std::string SizeText(const DedupEntry& entry) {
  return std::to_string(entry.width) + "x" + std::to_string(entry.height);
}

nlohmann::ordered_json ImageJson(const DedupEntry& entry, nlohmann::ordered_json distance, bool identical) {
  return {{"path", PrintablePath(entry.file.path)},
          {"distance", std::move(distance)},
          {"identical", identical},
          {"bytes", entry.bytes},
          {"width", entry.width},
          {"height", entry.height}};
}

}  // namespace

std::string FoundDuplicates::How(const DuplicateGroups::Member& member, const DedupEntry& entry,
                                 const DedupEntry& keeper) const {
  if (entry.content == keeper.content) return "same bytes";
  return member.by_look ? "distance " + DistanceJson(member.distance, by_vectors_).dump() : "same pixels";
}

Status FoundDuplicates::PutText(const TextSink& put) const {
  return ForEach(
      [&](const DuplicateGroups::Group& group, const DedupEntry& keeper) {
        return put("keep " + PrintablePath(keeper.file.path) + "  (" + SizeText(keeper) + ", by " +
                   std::string(ToString(group.reason)) + ")\n");
      },
      [&](const DuplicateGroups::Member& member, const DedupEntry& entry, const DedupEntry& keeper) {
        return put("  dup " + PrintablePath(entry.file.path) + "  (" + SizeText(entry) + ", " +
                   How(member, entry, keeper) + ")\n");
      });
}

Status FoundDuplicates::PutGroups(JsonElements& elements) const {
  for (const DuplicateGroups::Group& group : groups_->groups) {
    const DedupEntry keeper = TRY(entries_.At(group.keeper));
    TRY(PutGroup(group, keeper, elements));
  }
  return {};
}

Status FoundDuplicates::PutGroup(const DuplicateGroups::Group& group, const DedupEntry& keeper,
                                 JsonElements& elements) const {
  JsonObject json;
  json["keeper"] = PrintablePath(keeper.file.path);
  json["reason"] = ToString(group.reason);
  json.SetRows("images", [&](JsonElements& images) -> Status {
    TRY(images.Put(ImageJson(keeper, DistanceJson(0, by_vectors_), true)));
    return ForEachMember(
        group, keeper,
        [&](const DuplicateGroups::Member& member, const DedupEntry& entry, const DedupEntry& kept) {
          return images.Put(
              ImageJson(entry, DistanceJson(member.distance, by_vectors_), entry.content == kept.content));
        });
  });
  return elements.Put(json);
}

}  // namespace imgmill
