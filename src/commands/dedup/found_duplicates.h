// What dedup found, put into words: lines for a person, rows of the JSON document.
#pragma once

#include <algorithm>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/try.h"
#include "dedup_groups.h"
#include "imgmill/commands/command.h"
#include "imgmill/signals/perceptual_hash.h"
#include "look_limits.h"

namespace imgmill {

/// The groups with what is known of their images. A copy shares both: it may outlive the reduce, since the
/// document is written after it.
class FoundDuplicates {
 public:
  /// What there is to tell of a duplicate that was found by its looks.
  struct Evidence {
    bool by_vectors = false;  ///< distances are those of vectors, not bits
    bool aligned = false;     ///< it was laid upon the keeper
    LookLimits limits = {};   ///< likewise: what it may differ in
    bool by_quality = false;  ///< hashes have a quality
    int least_quality = 0;    ///< below which images were compared by their pixels only
  };
  FoundDuplicates(const DedupTable& entries, DuplicateGroups groups, Evidence evidence)
      : entries_(entries),
        groups_(std::make_shared<const DuplicateGroups>(std::move(groups))),
        evidence_(evidence) {}

  size_t groups() const { return groups_->groups.size(); }
  size_t duplicates() const { return groups_->members.size(); }
  size_t images() const { return entries_.size(); }
  size_t kept() const { return entries_.size() - duplicates(); }

  /// Calls `each` with each duplicate and its keeper, both DedupEntry, and what the distance is, as
  /// DuplicateGroups::Member. It returns a Status.
  template <typename Each>
  Status ForEachDuplicate(const Each& each) const {
    return ForEach([](const DuplicateGroups::Group&, const DedupEntry&) { return Status(); }, each);
  }

  /// Calls `each` with the DedupEntry of each image that is no duplicate, in listing order.
  template <typename Each>
  Status ForEachKept(const Each& each) const {
    std::vector<bool> duplicate(entries_.size(), false);
    for (const DuplicateGroups::Member& member : groups_->members) duplicate[member.index] = true;
    size_t index = 0;
    return entries_.ForEach([&](const DedupEntry& entry) {
      if (!duplicate[index++]) each(entry);
      return Status();
    });
  }

  /// What a next step is given: all but duplicates, and but what is only there to compare with, which counts
  /// as dropped then.
  Status PassOnKept(const CommandServices& services, CommandResult& result) const;

  const DedupTable& entries() const { return entries_; }
  const DuplicateGroups& all() const { return *groups_; }

  /// "same bytes", "same pixels", "distance 3" or "distance 3, difference 0.012, shows 81 % of it"; of a link
  /// that, too: "same bytes, hard link"; of one that is not like the keeper itself, "distance 3, like b.jpg".
  std::string How(const DuplicateGroups::Member& member, const DedupEntry& entry,
                  const DedupEntry& keeper) const;

  /// Whether a duplicate was laid upon its keeper, so that its look is known.
  bool Aligned(const DuplicateGroups::Member& member) const { return evidence_.aligned && member.by_look; }

  /// Of three images and more: "weakest link: a.jpg and b.jpg, distance 3"; else empty.
  Result<std::string> WeakestText(const DuplicateGroups::Group& group) const;

  /// "keep" and "dup" lines.
  Status PutText(const TextSink& put) const;

  /// How many images there are whose PDQ quality is below the usual least one.
  Result<size_t> WeakImages() const;
  /// A JSON object for each of them.
  Status PutWeakImages(JsonElements& elements) const;

  /// Near pairs that the second look refused, all of them.
  uint64_t refused_pairs() const { return groups_->refused.count(); }
  /// How many can be listed: of these the closest.
  size_t listed_refused(size_t most) const { return std::min(most, groups_->refused.closest().size()); }
  /// "; 3 near pairs refused (least difference 0.119, see --refused)"; empty where there are none.
  /// @param lists  whether the text has them
  std::string RefusedSummary(bool lists) const;
  /// "distance 0, difference 0.119: --max-difference 0.12 takes it".
  std::string WhyRefused(const RefusedMember& pair, const DedupEntry& entry, const DedupEntry& keeper) const;
  /// "near" and "not" lines, and JSON objects, of the closest `most`.
  Status PutRefusedText(size_t most, const TextSink& put) const;
  Status PutRefused(size_t most, JsonElements& elements) const;
  /// Calls `each` with the closest `most` RefusedMember, its entry and its keeper's.
  template <typename Each>
  Status ForEachRefused(size_t most, const Each& each) const {
    for (const RefusedMember& pair : groups_->refused.closest().first(listed_refused(most))) {
      const DedupEntry keeper = TRY(entries_.At(pair.keeper));
      const DedupEntry entry = TRY(entries_.At(pair.member.index));
      TRY(each(pair, entry, keeper));
    }
    return {};
  }

  /// A JSON object for each group.
  Status PutGroups(JsonElements& elements) const;

  /// Calls `each` with each group and its keeper.
  template <typename Each>
  Status ForEachGroup(const Each& each) const {
    for (const DuplicateGroups::Group& group : groups_->groups) {
      const DedupEntry keeper = TRY(entries_.At(group.keeper));
      TRY(each(group, keeper));
    }
    return {};
  }
  /// Calls `on_group` with each group and its keeper, and `on_member` with each of its members after it.
  template <typename OnGroup, typename OnMember>
  Status ForEach(const OnGroup& on_group, const OnMember& on_member) const {
    return ForEachGroup([&](const DuplicateGroups::Group& group, const DedupEntry& keeper) -> Status {
      TRY(on_group(group, keeper));
      return ForEachMember(group, keeper, on_member);
    });
  }
  template <typename OnMember>
  Status ForEachMember(const DuplicateGroups::Group& group, const DedupEntry& keeper,
                       const OnMember& on_member) const {
    for (const DuplicateGroups::Member& member : groups_->MembersOf(group)) {
      const DedupEntry entry = TRY(entries_.At(member.index));
      TRY(on_member(member, entry, keeper));
    }
    return {};
  }

 private:
  template <typename Each>
  Status ForEachWeak(const Each& each) const {
    if (!evidence_.by_quality) return {};
    return entries_.ForEach(
        [&](const DedupEntry& entry) { return entry.quality < kLeastPdqQuality ? each(entry) : Status(); });
  }
  Status PutGroup(const DuplicateGroups::Group& group, const DedupEntry& keeper,
                  JsonElements& elements) const;
  /// "480x320"
  static std::string SizeText(const DedupEntry& entry);
  /// Without links.
  std::string HowAlike(const DuplicateGroups::Member& member, const DedupEntry& entry,
                       const DedupEntry& keeper) const;
  /// "distance 3", "distance 3, difference 0.012"
  std::string HowNear(const DuplicateGroups::Member& member) const;
  Result<nlohmann::ordered_json> WeakestJson(const DuplicateGroups::Group& group) const;
  /// @param aligned  whether the look is told
  nlohmann::ordered_json MemberJson(const DuplicateGroups::Member& member, const DedupEntry& entry,
                                    const DedupEntry& keeper, bool aligned) const;

  DedupTable entries_;
  std::shared_ptr<const DuplicateGroups> groups_;
  Evidence evidence_;
};

}  // namespace imgmill
