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

/// Queries that are asked together, and what is held for them: HammingIndex::QueryOnThreads.
template <typename Hash>
struct QueryBlock {
  /// @throws OutOfMemory
  explicit QueryBlock(size_t most)
      : queries(most), spread(Sorted(most)), ended(Sorted(most)), by_region(Sorted(most)) {}
  /// Of an index of `n` hashes: each block goes through all tables, so of many hashes a block is large.
  static size_t Most(size_t n) { return std::clamp<size_t>(n / 512, 4096, 32768); }
  static size_t Bytes(size_t most) {
    return most * sizeof(Hash) + Sorted(most) * (sizeof(Hash) + sizeof(uint8_t) + sizeof(uint32_t));
  }

  PoolArray<Hash> queries;         ///< to be filled in
  PoolArray<Hash> spread;          ///< these as the tables have them
  PoolArray<uint8_t> ended;        ///< which of them ask no more
  PoolArray<uint32_t> by_region;   ///< their places, by the region of the table at hand
  std::vector<uint32_t> first_of;  ///< of each region, and the end

 private:
  /// Longer hashes lie outside of the tables, all over: sorting queries would not bring these together.
  static size_t Sorted(size_t most) { return kWordsOf<Hash> == 1 ? most : 0; }
};

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

  /// The first `count` of a block, on so many threads: hit(thread, place, id, distance). One that returns
  /// false ends the query at that place, soon.
  template <typename Hit>
  void QueryOnThreads(QueryBlock<Hash>& block, size_t count, int threads, const Hit& hit) const;

 private:
  static constexpr int kBits = 64 * static_cast<int>(kWordsOf<Hash>);
  /// Whether the tables have hashes of their own, by bucket. Longer ones are stored once for all tables.
  static constexpr bool kInBuckets = std::is_same_v<Hash, uint64_t>;
  struct Table {
    size_t word = 0;
    int shift = 0;
    uint64_t key_mask = 0;
    int threshold = 0;
    int width = 0;
    /// Of a key, the lower bits are a bucket's place in its region: so many buckets as fit a core's cache.
    int region_bits = 0;
    std::vector<uint32_t> regions_apart;  ///< what to xor to a region
    PoolArray<uint32_t> flips;            ///< what to xor to a place in it, fewest bits first
    std::vector<size_t> flips_within;     ///< how many of these have at most so many bits
    PoolArray<uint32_t> probes;           ///< what to xor to a key, fewest bits first
    PoolArray<uint32_t> offsets;          ///< of each key's bucket, and the end
    PoolArray<uint64_t> hashes;           ///< spread, by bucket, where they are in buckets
    PoolArray<uint32_t> ids;              ///< by bucket; else places among all hashes
    uint64_t Key(const Hash& spread) const { return (WordsOf(spread)[word] >> shift) & key_mask; }
  };
  HammingIndex(size_t count, const Hashes& hashes, int radius, const IndexPlan& plan);
  static Hash Spread(const Hash& hash);
  void Store(size_t count, const Hashes& hashes);
  static void MakeRegions(Table& table, size_t count);
  void AddTable(size_t count, const Hashes& hashes, size_t word, int shift, int width, int threshold);
  bool FoundBefore(size_t table, const Hash& wanted, const Hash& found) const {
    for (size_t t = 0; t < table; ++t) {
      if (std::popcount(tables_[t].Key(wanted) ^ tables_[t].Key(found)) <= tables_[t].threshold) return true;
    }
    return false;
  }
  template <typename Hit>
  void QueryTables(const Hash& hash, Hit& hit) const;
  template <typename Hit>
  void QueryRegion(size_t t, uint32_t region, QueryBlock<Hash>& block, const Hit& hit) const;
  template <typename Hit>
  void QueryByRegion(QueryBlock<Hash>& block, size_t count, int threads, const Hit& hit) const;
  /// Enough buckets under way to hide the latency of their first cache line.
  static constexpr size_t kAhead = 32;
  /// At most so many of one table. @return whether the query goes on
  template <typename Hit>
  bool QueryBuckets(size_t t, std::span<const uint32_t> begins, const uint32_t* ends, const Hash& wanted,
                    Hit& hit) const;

  int radius_;
  bool scans_;  ///< without tables
  HammingKernels kernels_;
  ScanFunction<Hash> scan_;
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
          // A bucket's first lines; what follows comes by itself.
          for (uint32_t at = begins[i]; at < std::min(ends[i], begins[i] + 32); at += 8)
            __builtin_prefetch(table.hashes.data() + at);
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
      const size_t found = kernels_.pick(hashes_.data(), places.data(), held, wanted, radius_, hits.data());
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
          scan_(scanned_.data() + begin * kWordsOf<Hash>, run, queries[q], radius_, hits.data());
      for (size_t h = 0; h < found && !ended[q]; ++h) {
        const Hash other = ScannedAt<Hash>(scanned_.data(), begin + hits[h]);
        ended[q] = !hit(q, ids_[begin + hits[h]], BitsApart(queries[q], other));
      }
    }
  }
}

template <typename Hash>
template <typename Hit>
void HammingIndex<Hash>::QueryOnThreads(QueryBlock<Hash>& block, size_t count, int threads,
                                        const Hit& hit) const {
  constexpr size_t kFewestByRegion = 512;
  if constexpr (kInBuckets) {
    if (!scans_ && count >= kFewestByRegion) return QueryByRegion(block, count, threads, hit);
  }
  // A few together, which share what they load, and no thread without.
  const auto most = static_cast<size_t>(threads);
  const size_t together = std::clamp(count / most, size_t{1}, kTogether);
  std::atomic<size_t> next{0};
  OnThreads(static_cast<int>(std::clamp(count, size_t{1}, most)), [&](int thread) {
    for (size_t first; (first = next.fetch_add(together)) < count;) {
      QueryAll(
          block.queries.span().subspan(first, std::min(together, count - first)), 0,
          [&](size_t place, uint32_t id, int distance) { return hit(thread, first + place, id, distance); });
    }
  });
}

template <typename Hash>
template <typename Hit>
void HammingIndex<Hash>::QueryByRegion(QueryBlock<Hash>& block, size_t count, int threads,
                                       const Hit& hit) const {
  std::fill_n(block.ended.begin(), count, uint8_t{0});
  for (size_t q = 0; q < count; ++q) block.spread[q] = Spread(block.queries[q]);
  for (size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    const auto regions = uint32_t{1} << (table.width - table.region_bits);
    const auto region_of = [&](uint32_t q) { return table.Key(block.spread[q]) >> table.region_bits; };
    block.first_of.assign(regions + 1, 0);
    for (uint32_t q = 0; q < count; ++q) ++block.first_of[region_of(q)];
    uint32_t end = 0;
    for (uint32_t& first : block.first_of) first = end += first;
    for (auto q = static_cast<uint32_t>(count); q-- > 0;) block.by_region[--block.first_of[region_of(q)]] = q;
    std::atomic<uint32_t> next{0};
    OnThreads(threads, [&](int thread) {
      for (uint32_t region; (region = next.fetch_add(1)) < regions;) {
        QueryRegion(t, region, block,
                    [&](uint32_t q, uint32_t id, int distance) { return hit(thread, q, id, distance); });
      }
    });
  }
}

/// All queries that have buckets of that region within reach.
template <typename Hash>
template <typename Hit>
void HammingIndex<Hash>::QueryRegion(size_t t, uint32_t region, QueryBlock<Hash>& block,
                                     const Hit& hit) const {
  const Table& table = tables_[t];
  const uint32_t first_bucket = region << table.region_bits;
  const uint32_t within = (uint32_t{1} << table.region_bits) - 1;
  const auto bucket_of = [&](uint32_t flips, uint32_t key) {
    return first_bucket | ((key ^ flips) & within);
  };
  for (uint32_t at = table.offsets[first_bucket]; at < table.offsets[first_bucket + within + 1]; at += 8)
    __builtin_prefetch(table.hashes.data() + at);
  std::array<uint32_t, kScanRun + 16> hits;
  std::array<HashRun, kRunsTogether> runs;
  for (const uint32_t apart : table.regions_apart) {
    const uint32_t from = region ^ apart;
    const std::span<const uint32_t> flips = table.flips.span().first(
        table.flips_within[static_cast<size_t>(table.threshold - std::popcount(apart))]);
    for (uint32_t i = block.first_of[from]; i < block.first_of[from + 1]; ++i) {
      const uint32_t q = block.by_region[i];
      std::atomic_ref<uint8_t> ended(block.ended[q]);
      if (ended.load(std::memory_order_relaxed) != 0) continue;
      const Hash& wanted = block.spread[q];
      const auto key = static_cast<uint32_t>(table.Key(wanted));
      size_t held = 0, total = 0;
      const auto look = [&] {
        const size_t found =
            kernels_.scan_runs(table.hashes.data(), runs.data(), held, wanted, radius_, hits.data());
        held = total = 0;
        for (size_t h = 0; h < found; ++h) {
          const Hash& other = table.hashes[hits[h]];
          if (FoundBefore(t, wanted, other)) continue;
          if (hit(q, table.ids[hits[h]], BitsApart(wanted, other))) continue;
          ended.store(1, std::memory_order_relaxed);
          return false;
        }
        return true;
      };
      const auto add = [&](HashRun run) {
        if ((held == runs.size() || total + (run.end - run.begin) > kScanRun) && !look()) return false;
        for (; run.end - run.begin > kScanRun; run.begin += kScanRun) {
          runs[held++] = {run.begin, run.begin + static_cast<uint32_t>(kScanRun)};
          if (!look()) return false;
        }
        total += run.end - run.begin;
        runs[held++] = run;
        return true;
      };
      bool goes_on = true;
      for (size_t f = 0; f < flips.size() && goes_on; ++f) {
        const uint32_t bucket = bucket_of(flips[f], key);
        goes_on = add({table.offsets[bucket], table.offsets[bucket + 1]});
      }
      if (goes_on) look();
    }
  }
}

}  // namespace imgmill
