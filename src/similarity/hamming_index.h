// An index that finds all hashes within a fixed Hamming radius of one, exactly, by the pigeonhole principle.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "imgmill/memory/pool_array.h"
#include "similarity/hamming_scan.h"

namespace imgmill {

/// Disjoint parts of the 64 bits, each with a table of its own. If two hashes differ in at most r bits, then
/// in at least one of m parts they differ in at most t bits, where the t's fulfil sum(t + 1) = r + 1: else
/// the parts alone would add up to more than r. So each table is probed at all keys within its t.
/// Source: Norouzi, Punjani and Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012;
/// unequal t's after Qin et al., "GPH: Similarity search in Hamming space", ICDE 2018.
struct IndexPlan {
  int width = 0;                ///< bits of a part; 0 is one table with one bucket: a scan of everything
  std::vector<int> thresholds;  ///< one a table
  double cost_ns = 0;           ///< of one query, as estimated for hashes spread evenly

  /// The cheapest plan for `n` hashes at `radius` 0..64.
  static IndexPlan Choose(size_t n, int radius);
};

class HammingIndex {
 public:
  /// Calls `see` with each hash and the id that queries know it by. It is asked twice a table, and says the
  /// same each time, so that no list of the hashes is needed beside the tables.
  using Hashes = std::function<void(const std::function<void(uint64_t hash, uint32_t id)>& see)>;

  /// @throws OutOfMemory
  HammingIndex(size_t count, const Hashes& hashes, int radius);
  /// Of these hashes, known by their positions.
  HammingIndex(std::span<const uint64_t> hashes, int radius);
  /// With a plan of the caller's, for tests and benchmarks.
  HammingIndex(std::span<const uint64_t> hashes, int radius, const IndexPlan& plan);

  static size_t Bytes(size_t n, int radius);

  /// Calls hit(id, distance) once for each hash within the radius of `hash`, in no special order; a hit that
  /// returns false ends the query. Thread-safe.
  template <typename Hit>
  void Query(uint64_t hash, Hit&& hit) const;

 private:
  struct Table {
    int shift = 0;
    uint64_t key_mask = 0;
    int threshold = 0;
    PoolArray<uint32_t> probes;   ///< what to xor to a key, fewest bits first
    PoolArray<uint32_t> offsets;  ///< of each key's bucket, and the end
    PoolArray<uint64_t> hashes;   ///< spread, by bucket
    PoolArray<uint32_t> ids;
  };
  HammingIndex(size_t count, const Hashes& hashes, int radius, const IndexPlan& plan);
  static uint64_t Spread(uint64_t hash);
  static Table MakeTable(size_t count, const Hashes& hashes, int shift, int width, int threshold);
  bool FoundBefore(size_t table, uint64_t difference) const {
    for (size_t t = 0; t < table; ++t) {
      if (std::popcount((difference >> tables_[t].shift) & tables_[t].key_mask) <= tables_[t].threshold) {
        return true;
      }
    }
    return false;
  }

  int radius_;
  ScanFunction scan_;
  std::vector<Table> tables_;
};

template <typename Hit>
void HammingIndex::Query(uint64_t hash, Hit&& hit) const {
  // Enough buckets under way to hide the latency of their first cache line.
  constexpr size_t kAhead = 32;
  const uint64_t wanted = Spread(hash);
  std::array<uint32_t, kScanRun + 16> hits;
  for (size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    const auto key = static_cast<uint32_t>((wanted >> table.shift) & table.key_mask);
    for (size_t first = 0; first < table.probes.size(); first += kAhead) {
      const size_t count = std::min(kAhead, table.probes.size() - first);
      std::array<uint32_t, kAhead> begins, ends;
      for (size_t i = 0; i < count; ++i) {
        const uint32_t bucket = key ^ table.probes[first + i];
        begins[i] = table.offsets[bucket];
        ends[i] = table.offsets[bucket + 1];
        __builtin_prefetch(table.hashes.data() + begins[i]);
      }
      for (size_t i = 0; i < count; ++i) {
        for (size_t begin = begins[i]; begin < ends[i]; begin += kScanRun) {
          const size_t run = std::min<size_t>(kScanRun, ends[i] - begin);
          const size_t found = scan_(table.hashes.data() + begin, run, wanted, radius_, hits.data());
          for (size_t h = 0; h < found; ++h) {
            const uint64_t difference = table.hashes[begin + hits[h]] ^ wanted;
            if (FoundBefore(t, difference)) continue;
            if (!hit(table.ids[begin + hits[h]], std::popcount(difference))) return;
          }
        }
      }
    }
  }
}

}  // namespace imgmill
