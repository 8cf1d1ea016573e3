// Searches of 256-bit hashes against the plain loops: kernels, plans, pairs and groups.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "imgmill/memory/pool.h"
#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"
#include "similarity/hamming_scan.h"
#include "similarity/keeper_grouping.h"

namespace imgmill {
namespace {

// Half of the hashes are unrelated, half lie some bits from an earlier one, so that every radius has hits.
std::vector<Hash256> RandomHashes(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Hash256> hashes;
  for (size_t i = 0; i < n; ++i) {
    Hash256 hash = {random(), random(), random(), random()};
    if (i > 0 && random() % 2 == 0) {
      hash = hashes[random() % i];
      for (uint64_t flips = random() % 64; flips > 0; --flips)
        hash[random() % 4] ^= uint64_t{1} << (random() % 64);
    }
    hashes.push_back(hash);
  }
  return hashes;
}

std::vector<uint64_t> InBlocks(std::span<const Hash256> hashes) {
  // Padding that equals the first hash must not be found.
  std::vector<uint64_t> blocks(ScanWords<Hash256>(hashes.size()));
  for (size_t i = 0; i < blocks.size() / 4; ++i) {
    PutScanned(blocks.data(), i, hashes[i < hashes.size() ? i : 0]);
  }
  return blocks;
}

RankedKeysOf<Hash256> Ranked(std::span<const Hash256> keys, std::span<const uint32_t> order) {
  RankedKeysOf<Hash256> items(keys.size());
  std::copy(keys.begin(), keys.end(), items.keys.begin());
  std::copy(order.begin(), order.end(), items.order.begin());
  return items;
}

TEST_CASE("bits apart, by hand") {
  CHECK(BitsApart(Hash256{1, 2, 4, 8}, Hash256{1, 2, 4, 8}) == 0);
  CHECK(BitsApart(Hash256{0, 0, 0, 0}, Hash256{1, 3, 7, 15}) == 10);
  CHECK(BitsApart(Hash256{}, Hash256{~0ULL, ~0ULL, ~0ULL, ~0ULL}) == 256);
}

TEST_CASE("hashes that are scanned are read as they were put") {
  const auto hashes = RandomHashes(70, 3);
  const std::vector<uint64_t> blocks = InBlocks(hashes);
  for (size_t i = 0; i < hashes.size(); ++i) CHECK(ScannedAt<Hash256>(blocks.data(), i) == hashes[i]);
  // By hand: byte 9 of hash 65 lies after a block of 64 hashes and nine bytes of 64, at its place, 1.
  std::vector<uint64_t> by_hand(ScanWords<Hash256>(66), 0);
  PutScanned(by_hand.data(), 65, Hash256{0, 0xab00, 0, 0});
  CHECK(reinterpret_cast<const uint8_t*>(by_hand.data())[64 * 32 + 9 * 64 + 1] == 0xab);
}

TEST_CASE("every scan of 256 bits tells 255 bits apart from 256") {
  const Hash256 all = {~0ULL, ~0ULL, ~0ULL, ~0ULL};
  std::vector<Hash256> hashes(40, all);
  hashes[38][3] ^= 1ULL << 63;
  for (const HammingKernels& kernels : AvailableHammingKernels()) {
    CAPTURE(kernels.name);
    std::vector<uint32_t> found(kScanRun + 16);
    const std::vector<uint64_t> blocks = InBlocks(hashes);
    const auto within = [&](int radius) {
      return kernels.scan_256(blocks.data(), hashes.size(), Hash256{}, radius, found.data());
    };
    CHECK(within(254) == 0);
    CHECK(within(255) == 1);
    CHECK(found.front() == 38);
    CHECK(within(256) == 40);
  }
}

TEST_CASE("every scan of 256 bits agrees with distances one by one at every length up to 300") {
  std::mt19937_64 random(1);
  for (const HammingKernels& kernels : AvailableHammingKernels()) {
    CAPTURE(kernels.name);
    for (size_t n = 0; n <= 300; ++n) {
      const auto hashes = RandomHashes(n, n);
      const Hash256 query = n == 0 ? Hash256{} : hashes[random() % n];
      const int radius = static_cast<int>(random() % (n % 2 == 0 ? 257 : 60));
      std::vector<uint32_t> expected, found(kScanRun + 16);
      for (uint32_t i = 0; i < n; ++i) {
        if (BitsApart(hashes[i], query) <= radius) expected.push_back(i);
      }
      found.resize(kernels.scan_256(InBlocks(hashes).data(), n, query, radius, found.data()));
      CHECK(found == expected);
    }
  }
}

TEST_CASE("hashes at places are compared as one by one") {
  std::mt19937_64 random(2);
  const auto hashes = RandomHashes(500, 5);
  const std::vector<HammingKernels> all = AvailableHammingKernels();
  for (size_t n = 0; n <= 300; ++n) {
    std::vector<uint32_t> places, expected, found(kScanRun + 16);
    for (size_t i = 0; i < n; ++i) places.push_back(static_cast<uint32_t>(random() % hashes.size()));
    const Hash256& query = hashes[n];
    const int radius = static_cast<int>(random() % (n % 2 == 0 ? 257 : 40));
    for (uint32_t i = 0; i < n; ++i) {
      if (BitsApart(hashes[places[i]], query) <= radius) expected.push_back(i);
    }
    for (const HammingKernels& kernels : all) {
      found.resize(kScanRun + 16);
      found.resize(kernels.pick(hashes.data(), places.data(), n, query, radius, found.data()));
      CHECK(found == expected);
    }
  }
}

std::vector<HammingPair> Pairs(std::span<const Hash256> hashes, int radius, int threads) {
  std::vector<HammingPair> all;
  const StopFlag stop;
  const Status status = PairsWithin(hashes, radius, threads, stop, [&](std::span<const HammingPair> block) {
    all.insert(all.end(), block.begin(), block.end());
  });
  CHECK(status.ok());
  return all;
}

TEST_CASE("pairs of 256-bit hashes are those of the plain loops, at every length and radius") {
  for (size_t n = 0; n <= 300; ++n) {
    const auto hashes = RandomHashes(n, 1000 + n);
    const int radius = static_cast<int>(n * 7 % 257);
    CAPTURE(n);
    CHECK(Pairs(hashes, radius, 1 + static_cast<int>(n % 3)) ==
          PairsWithinScalar(std::span<const Hash256>(hashes), radius));
  }
  // Beyond one run of a scan.
  const auto hashes = RandomHashes(2500, 7);
  for (const int radius : {0, 5, 31, 47, 60, 100, 120}) {
    CAPTURE(radius);
    CHECK(Pairs(hashes, radius, 2) == PairsWithinScalar(std::span<const Hash256>(hashes), radius));
  }
}

TEST_CASE("every plan for 256 bits finds the same, whatever its parts") {
  const auto hashes = RandomHashes(800, 8);
  for (int radius = 0; radius <= 70; radius += 7) {
    for (int tables = 1; tables <= std::min(20, radius + 1); tables += 3) {
      for (int width = 0; width <= 12; width += 4) {
        const HammingIndex<Hash256> index(hashes, radius, IndexPlan::Of(width, tables, radius));
        const Hash256& query = hashes[static_cast<size_t>(radius * 11 + tables)];
        std::vector<uint32_t> expected, found;
        for (uint32_t i = 0; i < hashes.size(); ++i) {
          if (BitsApart(hashes[i], query) <= radius) expected.push_back(i);
        }
        index.Query(query, [&](uint32_t position, int distance) {
          CHECK(distance == BitsApart(hashes[position], query));
          found.push_back(position);
          return true;
        });
        std::sort(found.begin(), found.end());
        CAPTURE(radius);
        CAPTURE(tables);
        CAPTURE(width);
        CHECK(found == expected);
      }
    }
  }
}

TEST_CASE("the plan for 100,000 hashes of 256 bits probes parts within 31 bits, and scans within 100") {
  // By hand: sixteen parts of 16 bits within one flipped bit each are 16 * 17 = 272 buckets of 1.5 hashes.
  const IndexPlan plan = IndexPlan::Choose(100'000, 31, 256);
  CHECK(plan.width == 16);
  CHECK(plan.thresholds == std::vector<int>(16, 1));
  CHECK(IndexPlan::Choose(100'000, 100, 256).scans());
}

TEST_CASE("groups of 256-bit hashes are those of the plain loops, in the memory that is leased") {
  const StopFlag stop;
  for (const size_t n : {size_t{0}, size_t{1}, size_t{50}, size_t{3000}, size_t{9000}}) {
    const auto hashes = RandomHashes(n, n);
    std::vector<uint32_t> order(n);
    std::mt19937 random(static_cast<unsigned>(n));
    for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % n);
    for (const int radius : {0, 20, 90}) {
      const auto expected = GroupByHammingScalar(std::span<const Hash256>(hashes), order, radius);
      for (const int threads : {1, 3}) {
        HostPool().ResetPeak();
        const size_t before = HostPool().Stats().charged;
        const auto groups = GroupByHamming(Ranked(hashes, order), radius, threads, stop);
        REQUIRE(groups.ok());
        CHECK(*groups == expected);
        CHECK(HostPool().Stats().peak_charged - before <=
              GroupByHammingBytes<Hash256>(n, radius, threads) + 64 * 1024);
      }
    }
  }
}

TEST_CASE("verified groups of 256-bit hashes in two poses are those of the plain loops") {
  const StopFlag stop;
  const size_t n = 1500;
  const int radius = 30;
  const auto hashes = RandomHashes(n, 3);
  std::vector<uint32_t> order(n);
  PosedHashesOf<Hash256> posed(n, 2);
  for (uint32_t i = 0; i < n; ++i) {
    order[i] = i * 7 % 1000;
    posed.hashes[i * 2] = hashes[i];
    posed.hashes[i * 2 + 1] = hashes[n - 1 - i];
    posed.hashes[i * 2 + 1][i % 4] ^= 5;
  }
  const auto look = [](uint32_t a, uint32_t b) {
    return (a * 31 + b) % 5 == 0 ? std::nullopt : std::optional(SecondLook{});
  };
  using Measure = std::optional<VerifiedMeasure>;
  const auto expected = GroupByPlainLoops<VerifiedMeasure>(order, [&](uint32_t keeper, uint32_t other) {
    Measure best;
    for (uint32_t pose = 0; pose < 2; ++pose) {
      const int distance = BitsApart(posed.of(keeper)[pose], hashes[other]);
      if (distance <= radius && look(keeper, other) && (!best || distance < best->distance))
        best = {distance, pose, *look(keeper, other)};
    }
    return best;
  });
  REQUIRE(expected.size() > 100);
  const auto groups = GroupVerified(
      Ranked(hashes, order), posed, radius,
      [&](int, uint32_t keeper, uint32_t other, size_t) -> Result<LookVerdict> {
        return LookVerdict{look(keeper, other) ? LookVerdict::Kind::kAlike : LookVerdict::Kind::kNotLaid, {}};
      },
      2, stop);
  REQUIRE(groups.ok());
  CHECK(*groups == expected);
}

}  // namespace
}  // namespace imgmill
