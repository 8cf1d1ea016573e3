// Which entries have others near them by hash, before anybody looks at two pictures.
#include "base/try.h"
#include "dedup_hashes.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {
namespace {

template <typename Hash>
Result<NearEntries> FindNearByHash(const DedupTable& entries, const GroupRules& rules, int max_distance,
                                   int threads, const StopFlag& stop) {
  PoolArray<Hash> hashes(entries.size());
  PoolArray<uint32_t> rows(entries.size());
  PoolArray<ContentDigest> contents(entries.size());
  PairSides sides(rules.scope);
  PoolArray<uint32_t> side_of(entries.size());
  PosedHashesOf<Hash> posed = PosesFor<Hash>(entries.size(), rules.poses);
  size_t compared = 0;
  uint32_t row = 0;
  const Status read = entries.ForEach([&](const DedupEntry& entry) {
    if (IsComparedByLook(entry, rules, true)) {
      hashes[compared] = HashOf<Hash>(entry.hash);
      contents[compared] = entry.content;
      side_of[compared] = sides.SideOf(entry);
      PutPoses(rules.poses, entry, compared, posed);
      rows[compared++] = row;
    }
    ++row;
    return Status();
  });
  if (!read) return read.error();
  NearEntries near;
  near.any.resize(entries.size());
  const auto differs = [&](uint32_t item, uint32_t other) {
    return contents[item] != contents[other] &&
           (sides.Allows(side_of[item], side_of[other]) || sides.Allows(side_of[other], side_of[item]));
  };
  const std::span<const Hash> compared_hashes = hashes.span().first(compared);
  TRY(WithNeighbours(compared_hashes, posed, max_distance, differs, threads, stop,
                     [&](uint32_t item, bool counts) {
                       near.any[rows[item]] = true;
                       if (counts) near.candidates.push_back(rows[item]);
                     }));
  return near;
}

}  // namespace

Result<NearEntries> FindNear(const DedupTable& entries, const GroupRules& rules, int max_distance,
                             int threads, MemoryManager& memory, const StopFlag& stop) {
  Lease lease = TRY(memory.Acquire({VerifyingBytes(entries.size(), rules, max_distance, threads), 0}, stop));
  return rules.wide_hashes ? FindNearByHash<Hash256>(entries, rules, max_distance, threads, stop)
                           : FindNearByHash<uint64_t>(entries, rules, max_distance, threads, stop);
}

}  // namespace imgmill
