// An index that finds all hashes within a fixed Hamming radius of one, exactly, by the pigeonhole principle.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <vector>

#include "imgmill/base/hash256.h"
#include "imgmill/memory/pool_array.h"
#include "similarity/hamming_scan.h"
#include "similarity/index_plan.h"
#include "similarity/search_threads.h"

namespace imgmill {

/// @tparam Hash  uint64_t or Hash256
template <typename Hash>
class HammingIndex {
 public:
  /// Calls `see` with each hash and the id that queries know it by, ids ascending. It is asked twice a table,
  /// and says the same each time, so that no list of the hashes is needed beside the tables.
  using Hashes = std::function<void(const std::function<void(const Hash& hash, uint32_t id)>& see)>;

  /// @throws OutOfMemory
  HammingIndex(size_t count, const Hashes& hashes, int radius);
  /// Of these hashes, known by their positions.
  HammingIndex(std::span<const Hash> hashes, int radius);
  /// With a plan of the caller's, for tests and benchmarks.
  HammingIndex(std::span<const Hash> hashes, int radius, const IndexPlan& plan);

  static size_t Bytes(size_t n, int radius);

  /// Calls hit(id, distance) once for each hash within the radius of `hash`, in no special order; a hit that
  /// returns false ends the query. Thread-safe.
  template <typename Hit>
  void Query(const Hash& hash, Hit&& hit) const {
    if (scans_) {
      QueryAll(std::span(&hash, 1), 0, [&](size_t, uint32_t id, int distance) { return hit(id, distance); });
    } else {
      QueryTables(hash, hit);
    }
  }

  /// Most queries that QueryAll takes.
  static constexpr size_t kTogether = 64;
  /// Many queries, which without tables share what was loaded: hit(place in `queries`, id, distance). One
  /// that returns false ends the query at that place.
  /// @param least  smaller ids may be left out
  template <typename Hit>
  void QueryAll(std::span<const Hash> queries, uint32_t least, Hit&& hit) const;

  /// As many as there are, on so many threads: hit(thread, place in `queries`, id, distance). One that
  /// returns false ends the query at that place.
  template <typename Hit>
  void QueryOnThreads(std::span<const Hash> queries, int threads, const Hit& hit) const;

 private:
  static constexpr int kBits = 64 * static_cast<int>(kWordsOf<Hash>);
  /// Whether the tables have hashes of their own, by bucket. Longer ones are stored once for all tables.
  static constexpr bool kInBuckets = std::is_same_v<Hash, uint64_t>;
  struct Table {
    size_t word = 0;
    int shift = 0;
    uint64_t key_mask = 0;
    int threshold = 0;
    PoolArray<uint32_t> probes;   ///< what to xor to a key, fewest bits first
    PoolArray<uint32_t> offsets;  ///< of each key's bucket, and the end
    PoolArray<uint64_t> hashes;   ///< spread, by bucket, where they are in buckets
    PoolArray<uint32_t> ids;      ///< by bucket; else places among all hashes
    uint64_t Key(const Hash& spread) const { return (WordsOf(spread)[word] >> shift) & key_mask; }
  };
  HammingIndex(size_t count, const Hashes& hashes, int radius, const IndexPlan& plan);
  static Hash Spread(const Hash& hash);
  void Store(size_t count, const Hashes& hashes);
  void AddTable(size_t count, const Hashes& hashes, size_t word, int shift, int width, int threshold);
  bool FoundBefore(size_t table, const Hash& wanted, const Hash& found) const {
    for (size_t t = 0; t < table; ++t) {
      if (std::popcount(tables_[t].Key(wanted) ^ tables_[t].Key(found)) <= tables_[t].threshold) return true;
    }
    return false;
  }
  template <typename Hit>
  void QueryTables(const Hash& hash, Hit& hit) const;
  /// Enough buckets under way to hide the latency of their first cache line.
  static constexpr size_t kAhead = 32;
  /// At most so many of one table. @return whether the query goes on
  template <typename Hit>
  bool QueryBuckets(size_t t, std::span<const uint32_t> begins, const uint32_t* ends, const Hash& wanted,
                    Hit& hit) const;

  int radius_;
  bool scans_;  ///< without tables
  ScanFunction<Hash> scan_;
  PickFunction pick_;
  std::vector<Table> tables_;
  PoolArray<uint64_t> scanned_;  ///< as scans take them
  PoolArray<Hash> hashes_;       ///< spread, in the order of their ids; where tables hold their places
  PoolArray<uint32_t> ids_;      ///< of these, or of those that are scanned
};

template <typename Hash>
template <typename Hit>
void HammingIndex<Hash>::QueryTables(const Hash& hash, Hit& hit) const {
  const Hash wanted = Spread(hash);
  std::array<uint32_t, kAhead> begins, ends;
  for (size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    const auto key = static_cast<uint32_t>(table.Key(wanted));
    for (size_t first = 0; first < table.probes.size(); first += kAhead) {
      const size_t count = std::min(kAhead, table.probes.size() - first);
      for (size_t i = 0; i < count; ++i) {
        const uint32_t bucket = key ^ table.probes[first + i];
        begins[i] = table.offsets[bucket];
        ends[i] = table.offsets[bucket + 1];
        if constexpr (kInBuckets) {
          __builtin_prefetch(table.hashes.data() + begins[i]);
        } else {
          __builtin_prefetch(table.ids.data() + begins[i]);
        }
      }
      if (!QueryBuckets(t, std::span(begins).first(count), ends.data(), wanted, hit)) return;
    }
  }
}

template <typename Hash>
template <typename Hit>
bool HammingIndex<Hash>::QueryBuckets(size_t t, std::span<const uint32_t> begins, const uint32_t* ends,
                                      const Hash& wanted, Hit& hit) const {
  const Table& table = tables_[t];
  std::array<uint32_t, kScanRun + 16> hits;
  if constexpr (kInBuckets) {
    for (size_t i = 0; i < begins.size(); ++i) {
      for (size_t begin = begins[i]; begin < ends[i]; begin += kScanRun) {
        const size_t run = std::min<size_t>(kScanRun, ends[i] - begin);
        const size_t found = scan_(table.hashes.data() + begin, run, wanted, radius_, hits.data());
        for (size_t h = 0; h < found; ++h) {
          const uint64_t other = table.hashes[begin + hits[h]];
          if (FoundBefore(t, wanted, other)) continue;
          if (!hit(table.ids[begin + hits[h]], BitsApart(wanted, other))) return false;
        }
      }
    }
  } else {
    // The places of all these buckets, while what is there comes into the cache.
    std::array<uint32_t, kScanRun> places;
    size_t held = 0;
    const auto look = [&] {
      const size_t found = pick_(hashes_.data(), places.data(), held, wanted, radius_, hits.data());
      held = 0;
      for (size_t h = 0; h < found; ++h) {
        const Hash& other = hashes_[places[hits[h]]];
        if (FoundBefore(t, wanted, other)) continue;
        if (!hit(ids_[places[hits[h]]], BitsApart(wanted, other))) return false;
      }
      return true;
    };
    for (size_t i = 0; i < begins.size(); ++i) {
      for (uint32_t at = begins[i]; at < ends[i]; ++at) {
        places[held++] = table.ids[at];
        __builtin_prefetch(hashes_.data() + table.ids[at]);
        if (held == places.size() && !look()) return false;
      }
    }
    return look();
  }
  return true;
}

template <typename Hash>
template <typename Hit>
void HammingIndex<Hash>::QueryAll(std::span<const Hash> queries, uint32_t least, Hit&& hit) const {
  if (!scans_) {
    for (size_t q = 0; q < queries.size(); ++q) {
      const auto one = [&](uint32_t id, int distance) { return hit(q, id, distance); };
      QueryTables(queries[q], one);
    }
    return;
  }
  std::array<bool, kTogether> ended{};
  std::array<uint32_t, kScanRun + 16> hits;
  for (size_t begin = 0; begin < ids_.size(); begin += kScanRun) {
    const size_t run = std::min<size_t>(kScanRun, ids_.size() - begin);
    if (ids_[begin + run - 1] < least) continue;
    for (size_t q = 0; q < queries.size(); ++q) {
      if (ended[q]) continue;
      const size_t found =
          scan_(scanned_.data() + ScanPlace<Hash>(begin, 0), run, queries[q], radius_, hits.data());
      for (size_t h = 0; h < found && !ended[q]; ++h) {
        int distance = 0;
        for (size_t w = 0; w < kWordsOf<Hash>; ++w)
          distance += std::popcount(scanned_[ScanPlace<Hash>(begin + hits[h], w)] ^ WordsOf(queries[q])[w]);
        ended[q] = !hit(q, ids_[begin + hits[h]], distance);
      }
    }
  }
}

template <typename Hash>
template <typename Hit>
void HammingIndex<Hash>::QueryOnThreads(std::span<const Hash> queries, int threads, const Hit& hit) const {
  // A few together, which share what they load, and no thread without.
  const auto most = static_cast<size_t>(threads);
  const size_t together = std::clamp(queries.size() / most, size_t{1}, kTogether);
  std::atomic<size_t> next{0};
  OnThreads(static_cast<int>(std::clamp(queries.size(), size_t{1}, most)), [&](int thread) {
    for (size_t first; (first = next.fetch_add(together)) < queries.size();) {
      const size_t count = std::min(together, queries.size() - first);
      QueryAll(queries.subspan(first, count), 0, [&](size_t place, uint32_t id, int distance) {
        return hit(thread, first + place, id, distance);
      });
    }
  });
}

}  // namespace imgmill
