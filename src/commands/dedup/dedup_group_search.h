// Ranks the images, groups them best first by whatever finds those that are near, and says what decided.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/try.h"
#include "dedup_hashes.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/grouping.h"

namespace imgmill {

/// A rank that is kept, and one that is sorted.
inline constexpr size_t kRankBytes = 2 * sizeof(uint32_t);

/// What all steps of the reduce are given: rules, and whose memory is held for a while.
struct HeldForGroups {
  const GroupRules& rules;
  MemoryManager& memory;
  const StopFlag& stop;
  /// Of each row, whether it may be in a group; null where nobody knows.
  const std::vector<bool>* may = nullptr;

  bool MayBe(uint32_t row) const { return may == nullptr || (*may)[row]; }
};

/// Calls each(row, entry) with those that may be in a group.
template <typename Each>
Status ForEachThatMay(const DedupTable& entries, const HeldForGroups& held, const Each& each) {
  DedupTable::Reader reader(entries);
  for (uint32_t row = 0; row < entries.size(); ++row) {
    if (!held.MayBe(row)) {
      TRY(reader.Skip());
      continue;
    }
    const std::optional<DedupEntry> entry = TRY(reader.Next());
    each(row, *entry);
  }
  return {};
}

/// The merits of all entries that may be in a group, by row, while `use` looks at them.
inline Status WithMerits(const DedupTable& entries, const HeldForGroups& held, size_t more_bytes,
                         const std::function<void(std::span<const Merit>)>& use) {
  Lease lease = TRY(held.memory.Acquire({entries.size() * (sizeof(Merit) + more_bytes), 0}, held.stop));
  PoolArray<Merit> merits(entries.size());
  const Status read = ForEachThatMay(
      entries, held, [&](uint32_t row, const DedupEntry& entry) { merits[row] = MeritOf(entry); });
  if (read) use(merits.span());
  return read;
}

/// The place of each entry that may be in a group, the best first.
inline Result<std::vector<uint32_t>> RankAll(const DedupTable& entries, const HeldForGroups& held) {
  std::vector<uint32_t> rank(entries.size());
  const Status ranked = WithMerits(entries, held, kRankBytes, [&](std::span<const Merit> merits) {
    PoolArray<uint32_t> all(merits.size());
    size_t count = 0;
    for (uint32_t i = 0; i < merits.size(); ++i) {
      if (held.MayBe(i)) all[count++] = i;
    }
    const std::span<uint32_t> best_first = all.span().first(count);
    std::sort(best_first.begin(), best_first.end(), [&](uint32_t a, uint32_t b) {
      size_t place = 0;
      return held.rules.order.IsBetter(merits[a], merits[b], a < b, place);
    });
    for (uint32_t place = 0; place < count; ++place) rank[best_first[place]] = place;
  });
  return ranked ? Result<std::vector<uint32_t>>(std::move(rank)) : ranked.error();
}

/// Sets the reasons: the least telling criterion by which a keeper beats all its members.
inline Status FindReasons(const DedupTable& entries, const HeldForGroups& held, DuplicateGroups& found) {
  if (found.groups.empty()) return {};
  return WithMerits(entries, held, 0, [&](std::span<const Merit> merits) {
    for (DuplicateGroups::Group& group : found.groups) {
      size_t last = 0;
      for (const DuplicateGroups::Member& member : found.MembersOf(group)) {
        size_t place = 0;
        held.rules.order.IsBetter(merits[group.keeper], merits[member.index], true, place);
        last = std::max(last, place);
      }
      group.reason = held.rules.order.reason(last);
    }
  });
}

/// What two images share that are the same for sure: pixels, or bytes where the pixels are not known. Equal
/// bytes have equal pixels, so nothing is lost by looking at the pixels alone.
struct Sameness {
  ContentDigest what;
  uint32_t rank = 0;
  uint32_t index = 0;
  uint32_t side = 0;  ///< PairSides'
};

inline void AddGroup(uint32_t keeper, size_t first, DuplicateGroups& found) {
  std::sort(found.members.begin() + static_cast<std::ptrdiff_t>(first), found.members.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  found.groups.push_back({keeper, KeepReason::kPath, first, found.members.size() - first});
}

/// Groups of the same ones among those whose looks say nothing.
/// @param others  how many these are.
inline Status GroupBySameness(const DedupTable& entries, bool by_look, size_t others,
                              std::span<const uint32_t> rank, const HeldForGroups& held,
                              DuplicateGroups& found) {
  if (others == 0) return {};
  Lease lease = TRY(held.memory.Acquire({others * sizeof(Sameness), rank.size_bytes()}, held.stop));
  PoolArray<Sameness> same(others);
  PairSides sides(held.rules.scope);
  size_t next = 0;
  const Status read = ForEachThatMay(entries, held, [&](uint32_t row, const DedupEntry& e) {
    if (IsComparedByLook(e, held.rules, by_look)) return;
    const ContentDigest& what = e.notes.pixels != ContentDigest{} ? e.notes.pixels : e.content;
    same[next++] = {what, rank[row], row, sides.SideOf(e)};
  });
  if (!read) return read;
  // Within folders, each folder has a group of its own.
  const auto is_group = [&](const Sameness& a, const Sameness& b) {
    return a.what == b.what && (sides.scope() != PairScope::kWithin || a.side == b.side);
  };
  std::sort(same.begin(), same.end(), [&](const Sameness& a, const Sameness& b) {
    if (a.what != b.what) return a.what < b.what;
    if (sides.scope() == PairScope::kWithin && a.side != b.side) return a.side < b.side;
    return a.rank < b.rank;
  });
  for (size_t first = 0; first < others;) {
    size_t end = first + 1;
    const size_t members = found.members.size();
    for (; end < others && is_group(same[end], same[first]); ++end) {
      // Those that the best one may not have lie on its side, and may not have one another either.
      if (sides.Allows(same[first].side, same[end].side))
        found.members.push_back({same[end].index, false, 0, {}});
    }
    if (found.members.size() > members) AddGroup(same[first].index, members, found);
    first = end;
  }
  return {};
}

/// How those are grouped whose looks are compared, by a key of each: its hash, or its vector's row.
template <typename Key, typename Measure>
struct SimilaritySearch {
  std::function<Key(const DedupEntry&)> key;
  std::function<Footprint(size_t count)> bytes;
  /// @param rows  of the entries that the keys are of
  /// @param allows  by places in `rows`
  /// May be empty, as `see`: called under the lease, before `see` is of each that is compared, in order.
  std::function<void(size_t count)> begin;
  std::function<void(size_t place, const DedupEntry&)> see;
  std::function<Result<std::vector<KeeperGroup<Measure>>>(RankedKeysOf<Key>, std::span<const uint32_t> rows,
                                                          const PairRule& allows)>
      group;
  /// What is told of a member by its measure, beside its index.
  std::function<DuplicateGroups::Member(Measure)> describe;
};

/// @param compared  how many of the entries are compared.
template <typename Key, typename Measure>
Status GroupByLook(const DedupTable& entries, size_t compared, std::vector<uint32_t> rank,
                   const SimilaritySearch<Key, Measure>& search, const HeldForGroups& held,
                   DuplicateGroups& found) {
  if (compared == 0) return {};
  PairSides sides(held.rules.scope);
  const size_t with_sides = sides.all() ? 0 : compared;
  const Footprint own = {(compared + with_sides) * sizeof(uint32_t), rank.size() * sizeof(uint32_t)};
  Lease lease = TRY(held.memory.Acquire(search.bytes(compared) + own, held.stop));
  if (search.begin) search.begin(compared);
  PoolArray<uint32_t> rows(compared), side_of(with_sides);
  RankedKeysOf<Key> looks(compared);
  size_t next = 0;
  const Status read = ForEachThatMay(entries, held, [&](uint32_t row, const DedupEntry& entry) {
    if (!IsComparedByLook(entry, held.rules, true)) return;
    looks.keys[next] = search.key(entry), looks.order[next] = rank[row];
    if (with_sides > 0) side_of[next] = sides.SideOf(entry);
    if (search.see) search.see(next, entry);
    rows[next++] = row;
  });
  if (!read) return read;
  rank = {};
  PairRule allows;
  if (!sides.all())
    allows = [&](uint32_t keeper, uint32_t other) { return sides.Allows(side_of[keeper], side_of[other]); };
  const std::vector<KeeperGroup<Measure>> similar = TRY(search.group(std::move(looks), rows.span(), allows));
  const auto describe = [&](uint32_t item, const Measure& measure) {
    DuplicateGroups::Member member = search.describe(measure);
    member.index = rows[item];
    member.by_look = true;
    return member;
  };
  for (const KeeperGroup<Measure>& group : similar) {
    const size_t first = found.members.size();
    for (const auto& member : group.members) {
      found.members.push_back(describe(member.index, member.measure));
      if (member.via != KeeperGroup<Measure>::kKeeper) found.members.back().via = rows[member.via];
    }
    AddGroup(rows[group.keeper], first, found);
    if (!group.weakest) continue;
    found.groups.back().pair = found.pairs.size();
    found.pairs.push_back(
        {rows[group.weakest->first], describe(group.weakest->second, group.weakest->measure)});
  }
  return {};
}

template <typename Key, typename Measure>
Result<DuplicateGroups> FindGroups(const DedupTable& entries, bool by_look,
                                   const SimilaritySearch<Key, Measure>& search, const HeldForGroups& held) {
  DuplicateGroups found;
  size_t compared = 0, others = 0;
  TRY(ForEachThatMay(entries, held, [&](uint32_t, const DedupEntry& entry) {
    ++(IsComparedByLook(entry, held.rules, by_look) ? compared : others);
  }));
  {
    std::vector<uint32_t> rank = TRY(RankAll(entries, held));
    TRY(GroupBySameness(entries, by_look, others, rank, held, found));
    TRY(GroupByLook(entries, compared, std::move(rank), search, held, found));
  }
  std::sort(found.groups.begin(), found.groups.end(),
            [](const auto& a, const auto& b) { return a.keeper < b.keeper; });
  TRY(FindReasons(entries, held, found));
  return found;
}

}  // namespace imgmill
