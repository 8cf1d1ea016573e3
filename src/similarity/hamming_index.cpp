// Filling the tables of the index by a counting sort.
#include "similarity/hamming_index.h"

#include <cassert>

namespace imgmill {
namespace {

PoolArray<uint32_t> Probes(int width, int threshold) {
  PoolArray<uint32_t> probes(static_cast<size_t>(KeysWithin(width, threshold)));
  size_t n = 0;
  for (int bits = 0; bits <= std::min(width, threshold); ++bits) {
    // All numbers of `width` bits with `bits` ones, ascending (Gosper's hack).
    uint64_t value = (uint64_t{1} << bits) - 1;
    while (value < (uint64_t{1} << width)) {
      probes[n++] = static_cast<uint32_t>(value);
      if (value == 0) break;
      const uint64_t lowest = value & -value;
      const uint64_t carried = value + lowest;
      value = (((carried ^ value) >> 2) / lowest) | carried;
    }
  }
  assert(n == probes.size());
  return probes;
}

// Neighbouring bits of image hashes say almost the same (the next pixel, the next frequency). Parts made of
// bits from all over have evenly filled buckets. Any odd factor permutes the 64 places: bit b comes from bit
// 27 b of the hash, and 27 x 19 = 513 = 1 modulo 64, so bit b of the hash goes to bit 19 b.
uint64_t Spread64(uint64_t hash) {
  static constexpr auto kOfByte = [] {
    std::array<std::array<uint64_t, 256>, 8> of_byte{};
    for (unsigned place = 0; place < 64; ++place) {
      for (unsigned value = 0; value < 256; ++value)
        of_byte[place / 8][value] |= uint64_t{value >> (place % 8) & 1} << (place * 19 % 64);
    }
    return of_byte;
  }();
  uint64_t spread = 0;
  for (unsigned byte = 0; byte < 8; ++byte) spread |= kOfByte[byte][hash >> (8 * byte) & 0xFF];
  return spread;
}

}  // namespace

template <>
uint64_t HammingIndex<uint64_t>::Spread(const uint64_t& hash) {
  return Spread64(hash);
}

// Then every fourth bit of a word comes from another word.
template <>
Hash256 HammingIndex<Hash256>::Spread(const Hash256& hash) {
  constexpr uint64_t kEveryFourth = 0x1111111111111111;
  Hash256 spread{};
  for (size_t w = 0; w < hash.size(); ++w) {
    const uint64_t bits = Spread64(hash[w]);
    for (size_t v = 0; v < spread.size(); ++v) spread[v] |= bits & kEveryFourth << (w + v) % 4;
  }
  return spread;
}

template <typename Hash>
void HammingIndex<Hash>::AddTable(size_t count, const Hashes& hashes, size_t word, int shift, int width,
                                  int threshold) {
  Table table;
  table.word = word;
  table.shift = shift;
  table.key_mask = (uint64_t{1} << width) - 1;
  table.threshold = threshold;
  table.width = width;
  table.probes = Probes(width, threshold);
  if (kInBuckets) MakeRegions(table, count);
  table.offsets = PoolArray<uint32_t>((size_t{1} << width) + 1);
  if constexpr (kInBuckets) table.hashes = PoolArray<uint64_t>(count + kReadBeyond);
  table.ids = PoolArray<uint32_t>(count);

  // What is stored once is not spread again.
  const auto for_each = [&](const auto& see) {
    if constexpr (kInBuckets) {
      hashes([&](const Hash& hash, uint32_t id) { see(Spread(hash), id); });
    } else {
      for (uint32_t place = 0; place < count; ++place) see(hashes_[place], place);
    }
  };
  table.offsets.Fill(0);
  for_each([&](const Hash& spread, uint32_t) { ++table.offsets[table.Key(spread)]; });
  uint32_t end = 0;
  for (uint32_t& offset : table.offsets) offset = end += offset;
  // Each offset is its bucket's end now, and becomes its begin while the bucket is filled from behind.
  for_each([&](const Hash& spread, uint32_t id) {
    const uint32_t place = --table.offsets[table.Key(spread)];
    if constexpr (kInBuckets) table.hashes[place] = spread;
    table.ids[place] = id;
  });
  if constexpr (kInBuckets) std::fill_n(table.hashes.begin() + count, kReadBeyond, uint64_t{0});
  tables_.push_back(std::move(table));
}

/// Half of what a core's own cache holds at least, and no region without queries of its own.
template <typename Hash>
void HammingIndex<Hash>::MakeRegions(Table& table, size_t count) {
  constexpr size_t kRegionBytes = 64 * 1024;
  table.region_bits = table.width;
  while (table.region_bits > 0 &&
         (count * sizeof(uint64_t) >> (table.width - table.region_bits)) > kRegionBytes)
    --table.region_bits;
  const PoolArray<uint32_t> apart = Probes(table.width - table.region_bits, table.threshold);
  table.regions_apart.assign(apart.begin(), apart.end());
  table.flips = Probes(table.region_bits, table.threshold);
  for (int bits = 0; bits <= table.threshold; ++bits)
    table.flips_within.push_back(static_cast<size_t>(KeysWithin(table.region_bits, bits)));
}

/// For scans, or for tables that only hold places.
template <typename Hash>
void HammingIndex<Hash>::Store(size_t count, const Hashes& hashes) {
  ids_ = PoolArray<uint32_t>(count);
  size_t place = 0;
  if (scans_) {
    scanned_ = PoolArray<uint64_t>(ScanWords<Hash>(count));
    scanned_.Fill(0);
  } else {
    hashes_ = PoolArray<Hash>(count);
  }
  hashes([&](const Hash& hash, uint32_t id) {
    ids_[place] = id;
    if (scans_) {
      PutScanned(scanned_.data(), place, hash);
    } else {
      hashes_[place] = Spread(hash);
    }
    ++place;
  });
}

template <typename Hash>
HammingIndex<Hash>::HammingIndex(size_t count, const Hashes& hashes, int radius)
    : HammingIndex(count, hashes, radius, IndexPlan::Choose(count, radius, kBits)) {}

template <typename Hash>
HammingIndex<Hash>::HammingIndex(std::span<const Hash> hashes, int radius)
    : HammingIndex(hashes, radius, IndexPlan::Choose(hashes.size(), radius, kBits)) {}

template <typename Hash>
HammingIndex<Hash>::HammingIndex(std::span<const Hash> hashes, int radius, const IndexPlan& plan)
    : HammingIndex(
          hashes.size(),
          [&](const auto& see) {
            for (uint32_t i = 0; i < hashes.size(); ++i) see(hashes[i], i);
          },
          radius, plan) {}

template <typename Hash>
HammingIndex<Hash>::HammingIndex(size_t count, const Hashes& hashes, int radius, const IndexPlan& plan)
    : radius_(radius), scans_(plan.scans()), kernels_(BestHammingKernels()), scan_(kernels_.ScanOf(Hash{})) {
  if (scans_ || !kInBuckets) Store(count, hashes);
  if (scans_) return;
  // As many parts in each word.
  const size_t in_word = (plan.thresholds.size() + kWordsOf<Hash> - 1) / kWordsOf<Hash>;
  for (size_t t = 0; t < plan.thresholds.size(); ++t) {
    AddTable(count, hashes, t / in_word, static_cast<int>(t % in_word) * plan.width, plan.width,
             plan.thresholds[t]);
  }
}

template <typename Hash>
size_t HammingIndex<Hash>::Bytes(size_t n, int radius) {
  const IndexPlan plan = IndexPlan::Choose(n, radius, kBits);
  if (plan.scans()) return n * sizeof(uint32_t) + ScanWords<Hash>(n) * sizeof(uint64_t);
  size_t bytes = kInBuckets ? 0 : n * (sizeof(Hash) + sizeof(uint32_t));
  for (const int threshold : plan.thresholds) {
    bytes += n * ((kInBuckets ? sizeof(uint64_t) : 0) + sizeof(uint32_t)) + kReadBeyond * sizeof(uint64_t) +
             ((size_t{1} << plan.width) + 1) * sizeof(uint32_t) +
             2 * static_cast<size_t>(KeysWithin(plan.width, threshold)) * sizeof(uint32_t);
  }
  return bytes;
}

template class HammingIndex<uint64_t>;
template class HammingIndex<Hash256>;

}  // namespace imgmill
