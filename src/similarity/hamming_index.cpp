// Choosing the parts of the index by a cost estimate, and filling its tables by a counting sort.
#include "similarity/hamming_index.h"

#include <cassert>

namespace imgmill {
namespace {

// Measured on a server core (2.6 GHz, AVX-512): one bucket fetched from cache, one hash compared.
constexpr double kProbeNs = 9.0;
constexpr double kCompareNs = 0.25;
constexpr int kMaxTables = 8;

// Number of keys of `width` bits within `threshold` flipped bits of one.
double BallSize(int width, int threshold) {
  double size = 0;
  double choose = 1;
  for (int k = 0; k <= std::min(width, threshold); ++k) {
    size += choose;
    choose = choose * (width - k) / (k + 1);
  }
  return size;
}

// t's with sum(t + 1) = radius + 1, as equal as can be.
std::vector<int> ShareRadius(int radius, int tables) {
  std::vector<int> thresholds;
  for (int t = 0; t < tables; ++t) {
    thresholds.push_back((radius + 1) / tables - 1 + (t < (radius + 1) % tables ? 1 : 0));
  }
  return thresholds;
}

PoolArray<uint32_t> Probes(int width, int threshold) {
  PoolArray<uint32_t> probes(static_cast<size_t>(BallSize(width, threshold)));
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

}  // namespace

IndexPlan IndexPlan::Choose(size_t n, int radius) {
  const auto count = static_cast<double>(n);
  IndexPlan best{0, {radius}, kProbeNs + count * kCompareNs};
  // More keys than hashes would only make empty buckets; 2^22 keys are 16 MiB of offsets.
  const int widest = std::min(22, static_cast<int>(std::bit_width(n)));
  for (int tables = 1; tables <= std::min(kMaxTables, radius + 1); ++tables) {
    for (int width = 4; width <= std::min(widest, 64 / tables); ++width) {
      const std::vector<int> thresholds = ShareRadius(radius, tables);
      const double per_bucket = kProbeNs + count / static_cast<double>(uint64_t{1} << width) * kCompareNs;
      double cost = 0;
      for (const int threshold : thresholds) cost += BallSize(width, threshold) * per_bucket;
      if (cost < best.cost_ns) best = {width, thresholds, cost};
    }
  }
  return best;
}

// Neighbouring bits of image hashes say almost the same (the next pixel, the next frequency). Parts made of
// bits from all over have evenly filled buckets. Any odd factor permutes the 64 places: bit b comes from bit
// 27 b of the hash, and 27 x 19 = 513 = 1 modulo 64, so bit b of the hash goes to bit 19 b.
uint64_t HammingIndex::Spread(uint64_t hash) {
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

HammingIndex::Table HammingIndex::MakeTable(size_t count, const Hashes& hashes, int shift, int width,
                                            int threshold) {
  Table table;
  table.shift = shift;
  table.key_mask = (uint64_t{1} << width) - 1;
  table.threshold = threshold;
  table.probes = Probes(width, threshold);
  table.offsets = PoolArray<uint32_t>((size_t{1} << width) + 1);
  table.hashes = PoolArray<uint64_t>(count);
  table.ids = PoolArray<uint32_t>(count);

  const auto key = [&](uint64_t hash) { return (hash >> shift) & table.key_mask; };
  table.offsets.Fill(0);
  hashes([&](uint64_t hash, uint32_t) { ++table.offsets[key(Spread(hash))]; });
  uint32_t end = 0;
  for (uint32_t& offset : table.offsets) offset = end += offset;
  // Each offset is its bucket's end now, and becomes its begin while the bucket is filled from behind.
  hashes([&](uint64_t hash, uint32_t id) {
    const uint64_t spread = Spread(hash);
    const uint32_t place = --table.offsets[key(spread)];
    table.hashes[place] = spread;
    table.ids[place] = id;
  });
  return table;
}

HammingIndex::HammingIndex(size_t count, const Hashes& hashes, int radius)
    : HammingIndex(count, hashes, radius, IndexPlan::Choose(count, radius)) {}

HammingIndex::HammingIndex(std::span<const uint64_t> hashes, int radius)
    : HammingIndex(hashes, radius, IndexPlan::Choose(hashes.size(), radius)) {}

HammingIndex::HammingIndex(std::span<const uint64_t> hashes, int radius, const IndexPlan& plan)
    : HammingIndex(
          hashes.size(),
          [&](const auto& see) {
            for (uint32_t i = 0; i < hashes.size(); ++i) see(hashes[i], i);
          },
          radius, plan) {}

HammingIndex::HammingIndex(size_t count, const Hashes& hashes, int radius, const IndexPlan& plan)
    : radius_(radius), scan_(BestScan()) {
  int shift = 0;
  for (const int threshold : plan.thresholds) {
    tables_.push_back(MakeTable(count, hashes, shift, plan.width, threshold));
    shift += plan.width;
  }
}

size_t HammingIndex::Bytes(size_t n, int radius) {
  const IndexPlan plan = IndexPlan::Choose(n, radius);
  size_t bytes = 0;
  for (const int threshold : plan.thresholds) {
    bytes += n * (sizeof(uint64_t) + sizeof(uint32_t)) + ((size_t{1} << plan.width) + 1) * sizeof(uint32_t) +
             static_cast<size_t>(BallSize(plan.width, threshold)) * sizeof(uint32_t);
  }
  return bytes;
}

}  // namespace imgmill
