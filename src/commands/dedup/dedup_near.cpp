// Which entries have others near them by hash, before anybody looks at two pictures.
#include <algorithm>

#include "base/try.h"
#include "dedup_hashes.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/neighbours.h"

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
  NearEntries near;
  near.may.resize(entries.size());
  size_t compared = 0;
  uint32_t row = 0;
  const Status read = entries.ForEach([&](const DedupEntry& entry) {
    if (IsComparedByLook(entry, rules, true)) {
      hashes[compared] = HashOf<Hash>(entry.hash);
      contents[compared] = entry.content;
      side_of[compared] = sides.SideOf(entry);
      PutPoses(rules.poses, entry, compared, posed);
      rows[compared++] = row;
    } else {
      near.may[row] = true;
    }
    ++row;
    return Status();
  });
  if (!read) return read.error();
  const auto differs = [&](uint32_t item, uint32_t other) {
    return contents[item] != contents[other] &&
           (sides.Allows(side_of[item], side_of[other]) || sides.Allows(side_of[other], side_of[item]));
  };
  const std::span<const Hash> compared_hashes = hashes.span().first(compared);
  TRY(WithNeighbours(compared_hashes, posed, max_distance, differs, threads, stop,
                     [&](uint32_t item, bool counts) {
                       near.may[rows[item]] = true;
                       if (counts) near.candidates.push_back(rows[item]);
                     }));
  return near;
}

/// An entry that is compared, by its hash.
struct Compared {
  uint64_t hash = 0;
  uint32_t row = 0;
};

/// The entries that are compared, by hash and then by row. Others may be in a group by their pixels.
Result<size_t> SortByHash(const DedupTable& entries, const GroupRules& rules, std::span<Compared> by_hash,
                          std::span<ContentDigest> contents, std::vector<bool>& may) {
  size_t count = 0;
  uint32_t row = 0;
  TRY(entries.ForEach([&](const DedupEntry& entry) {
    contents[row] = entry.content;
    if (IsComparedByLook(entry, rules, true)) {
      by_hash[count++] = {entry.hash[0], row};
    } else {
      may[row] = true;
    }
    ++row;
    return Status();
  }));
  std::ranges::sort(by_hash.first(count), [](const Compared& a, const Compared& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.row < b.row;
  });
  return count;
}

/// The same as FindNearByHash of hashes of 64 bits in one pose, where all pairs count whose contents differ.
Result<NearEntries> FindNearByNotes(const DedupTable& entries, const GroupRules& rules, int max_distance,
                                    int threads, const StopFlag& stop, const NeighbourNotes& notes) {
  NearEntries found;
  found.may.resize(entries.size());
  PoolArray<Compared> by_hash(entries.size());
  PoolArray<ContentDigest> contents(entries.size());
  const size_t count = TRY(SortByHash(entries, rules, by_hash.span(), contents.span(), found.may));
  const std::span<const Compared> all = by_hash.span().first(count);
  PoolArray<uint64_t> distinct(count), near(count);
  size_t different = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i == 0 || all[i].hash != all[i - 1].hash) distinct[different++] = all[i].hash;
  }
  const std::span<const uint64_t> hashes = distinct.span().first(different);
  const size_t searched = TRY(FindNeighbours(
      hashes, max_distance, [&](const auto& see) { return notes.ForEach(see); }, threads, stop,
      near.span().first(different)));
  std::vector<bool> counts(entries.size());
  size_t first = 0;
  for (size_t d = 0; d < different; ++d) {
    size_t end = first;
    bool differ = near[d] != hashes[d];  // equal contents have equal hashes
    for (; end < count && all[end].hash == hashes[d]; ++end)
      differ = differ || contents[all[end].row] != contents[all[first].row];
    const bool any = differ || end - first > 1;
    for (; first < end; ++first) {
      if (any) found.may[all[first].row] = true;
      counts[all[first].row] = differ;
    }
  }
  for (uint32_t row = 0; row < entries.size(); ++row) {
    if (counts[row]) found.candidates.push_back(row);
  }
  if (searched > 0) (void)notes.Write(hashes, near.span().first(different));  // else only time is lost
  return found;
}

/// Fewer are searched in no time.
constexpr uint64_t kNotedFrom = 10'000;

}  // namespace

Result<NearEntries> FindNear(const DedupTable& entries, const GroupRules& rules, int max_distance,
                             int threads, MemoryManager& memory, const StopFlag& stop,
                             const NeighbourNotes* notes) {
  Lease lease = TRY(memory.Acquire({VerifyingBytes(entries.size(), rules, max_distance, threads), 0}, stop));
  if (notes != nullptr && notes->kept() && entries.size() >= kNotedFrom && !rules.wide_hashes &&
      !rules.poses.others() && rules.scope == PairScope::kAll)
    return FindNearByNotes(entries, rules, max_distance, threads, stop, *notes);
  return rules.wide_hashes ? FindNearByHash<Hash256>(entries, rules, max_distance, threads, stop)
                           : FindNearByHash<uint64_t>(entries, rules, max_distance, threads, stop);
}

}  // namespace imgmill
