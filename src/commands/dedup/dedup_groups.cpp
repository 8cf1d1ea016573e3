// Groups by content, and by hash.
#include "dedup_groups.h"

#include <algorithm>

#include "base/try.h"
#include "dedup_group_search.h"
#include "dedup_hashes.h"

namespace imgmill {
namespace {

template <typename Hash>
Result<DuplicateGroups> FindByHash(const DedupTable& entries, const HeldForGroups& held, bool by_hash,
                                   int max_distance, int threads) {
  SimilaritySearch<Hash, int> search;
  search.key = [](const DedupEntry& entry) { return HashOf<Hash>(entry.hash); };
  search.bytes = [&](size_t count) {
    return Footprint{GroupByHammingBytes<Hash>(count, max_distance, threads, held.rules.group_by), 0};
  };
  search.group = [&](RankedKeysOf<Hash> hashes, std::span<const uint32_t>, const PairRule& allows) {
    return GroupByHamming(std::move(hashes), max_distance, threads, held.stop, allows, held.rules.group_by);
  };
  search.describe = [](int bits) { return DuplicateGroups::Member{.distance = static_cast<double>(bits)}; };
  return FindGroups(entries, by_hash, search, held);
}

template <typename Hash>
Result<DuplicateGroups> FindVerifiedByHash(const DedupTable& entries, const HeldForGroups& held,
                                           int max_distance, SecondLooker& looker, int threads) {
  const PoseSet& poses = held.rules.poses;
  const int asking = looker.Threads(threads);
  SimilaritySearch<Hash, VerifiedMeasure> search;
  search.key = [](const DedupEntry& entry) { return HashOf<Hash>(entry.hash); };
  search.bytes = [&](size_t count) {
    return Footprint{VerifiedGroupingBytes<Hash>(count, StoredPoses(poses), max_distance, asking,
                                                 held.rules.group_by),
                     0} +
           looker.Held(asking);
  };
  PosedHashesOf<Hash> posed;
  RefusedPairs refused;
  search.begin = [&](size_t count) { posed = PosesFor<Hash>(count, poses); };
  search.see = [&](size_t place, const DedupEntry& entry) { PutPoses(poses, entry, place, posed); };
  search.group = [&](RankedKeysOf<Hash> hashes, std::span<const uint32_t> rows, const PairRule& allows) {
    looker.Prepare(asking);
    const auto by_row = [&](int thread, uint32_t keeper, uint32_t other, size_t pose) -> Result<LookVerdict> {
      if (allows && !allows(keeper, other)) return LookVerdict();
      return looker.Look(thread, rows[keeper], rows[other], poses[pose]);
    };
    const auto note = [&](const RefusedPair& pair) {
      DuplicateGroups::Member member = search.describe(pair.measure);
      member.index = rows[pair.other];
      member.by_look = true;
      refused.Add({rows[pair.keeper], member, pair.laid});
    };
    return GroupVerified(std::move(hashes), posed, max_distance, by_row, asking, held.stop, note,
                         held.rules.group_by);
  };
  search.describe = [&](const VerifiedMeasure& measure) {
    const double distance =
        looker.measures_distance() ? measure.look.difference : static_cast<double>(measure.distance);
    return DuplicateGroups::Member{
        .distance = distance, .look = measure.look, .pose = static_cast<uint32_t>(poses[measure.pose])};
  };
  DuplicateGroups found = TRY(FindGroups(entries, true, search, held));
  refused.Settle(found.members);
  found.refused = std::move(refused);
  return found;
}

}  // namespace

Result<DuplicateGroups> FindDuplicates(const DedupTable& entries, const GroupRules& rules, bool by_hash,
                                       int max_distance, int threads, MemoryManager& memory,
                                       const StopFlag& stop) {
  const HeldForGroups held{rules, memory, stop};
  return rules.wide_hashes ? FindByHash<Hash256>(entries, held, by_hash, max_distance, threads)
                           : FindByHash<uint64_t>(entries, held, by_hash, max_distance, threads);
}

size_t GroupingBytes(uint64_t entries, const GroupRules& rules, bool by_hash, int max_distance, int threads) {
  const size_t ranking = entries * (sizeof(Merit) + kRankBytes);
  if (!by_hash) return ranking;
  const size_t searching = rules.wide_hashes
                               ? GroupByHammingBytes<Hash256>(entries, max_distance, threads, rules.group_by)
                               : GroupByHammingBytes(entries, max_distance, threads, rules.group_by);
  return std::max(searching + entries * 3 * sizeof(uint32_t), ranking);
}

Result<DuplicateGroups> FindVerified(const DedupTable& entries, const std::vector<bool>& may,
                                     const GroupRules& rules, int max_distance, SecondLooker& looker,
                                     int threads, MemoryManager& memory, const StopFlag& stop) {
  const HeldForGroups held{rules, memory, stop, &may};
  return rules.wide_hashes ? FindVerifiedByHash<Hash256>(entries, held, max_distance, looker, threads)
                           : FindVerifiedByHash<uint64_t>(entries, held, max_distance, looker, threads);
}

size_t VerifyingBytes(uint64_t entries, const GroupRules& rules, int max_distance, int threads) {
  const size_t poses = StoredPoses(rules.poses);
  const size_t grouping =
      rules.wide_hashes
          ? VerifiedGroupingBytes<Hash256>(entries, poses, max_distance, threads, rules.group_by)
          : VerifiedGroupingBytes(entries, poses, max_distance, threads, rules.group_by);
  // Candidates are sought among contents, and then grouped by ranks.
  return std::max(grouping + entries * (sizeof(ContentDigest) + 2 * sizeof(uint32_t)),
                  entries * (sizeof(Merit) + kRankBytes));
}

}  // namespace imgmill
