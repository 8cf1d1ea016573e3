// Every fast Hamming kernel, plan and search against the plain loops, on random and on awkward input.
#include "imgmill/similarity/hamming.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <random>
#include <set>
#include <string_view>

#include "similarity/hamming_index.h"
#include "similarity/hamming_scan.h"

namespace imgmill {
namespace {

// Half of the hashes are unrelated, half lie a few bits from an earlier one, so that every radius has hits.
std::vector<uint64_t> RandomHashes(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < n; ++i) {
    uint64_t hash = random();
    if (i > 0 && random() % 2 == 0) {
      hash = hashes[random() % i];
      for (uint64_t flips = random() % 16; flips > 0; --flips) hash ^= uint64_t{1} << (random() % 64);
    }
    hashes.push_back(hash);
  }
  return hashes;
}

std::vector<HammingPair> Pairs(std::span<const uint64_t> hashes, int radius, int threads) {
  std::vector<HammingPair> all;
  const StopFlag stop;
  const Status status = PairsWithin(hashes, radius, threads, stop, [&](std::span<const HammingPair> block) {
    CHECK_FALSE(block.empty());
    all.insert(all.end(), block.begin(), block.end());
  });
  CHECK(status.ok());
  return all;
}

TEST_CASE("the best of this machine's kernels is chosen, and a lesser one when it is asked for") {
  const std::vector<HammingKernels> kernels = AvailableHammingKernels();
#if defined(__x86_64__)
  CHECK(kernels.size() >= 2);
#endif
  std::set<std::string_view> names;
  for (const HammingKernels& each : kernels) CHECK(names.insert(each.name).second);
  const std::string_view best = BestHammingKernels().name;
  CHECK(best == kernels.front().name);
  CHECK_FALSE(ChooseHammingKernels("no such name"));
  CHECK(BestHammingKernels().name == best);
  CHECK(ChooseHammingKernels(kernels.back().name));
  CHECK(BestHammingKernels().name == kernels.back().name);
  CHECK(ChooseHammingKernels(best));
}

TEST_CASE("every scan of this machine agrees with a plain loop at every length up to 300") {
  std::mt19937_64 random(1);
  for (const HammingKernels& kernels : AvailableHammingKernels()) {
    CAPTURE(kernels.name);
    for (size_t n = 0; n <= 300; ++n) {
      auto hashes = RandomHashes(n, n);
      const uint64_t query = n == 0 ? 0 : hashes[random() % n];
      hashes.resize(ScanWords<uint64_t>(n), query);  // near, but not asked for
      const int radius = static_cast<int>(random() % 65);
      std::vector<uint32_t> expected, found(kScanRun + 16);
      for (uint32_t i = 0; i < n; ++i) {
        if (std::popcount(hashes[i] ^ query) <= radius) expected.push_back(i);
      }
      found.resize(kernels.scan_64(hashes.data(), n, query, radius, found.data()));
      CHECK(found == expected);
    }
  }
}

TEST_CASE("the scan of several short runs agrees with a plain loop") {
  std::mt19937_64 random(2);
  const std::vector<HammingKernels> all = AvailableHammingKernels();
  for (int round = 0; round < 300; ++round) {
    std::vector<uint64_t> hashes = RandomHashes(600, static_cast<uint64_t>(round));
    const uint64_t query = hashes[random() % hashes.size()];
    hashes.resize(hashes.size() + kReadBeyond, query);  // near, but in no run
    const int radius = static_cast<int>(random() % 65);
    std::vector<HashRun> runs;
    std::vector<uint32_t> expected;
    uint32_t total = 0;
    while (runs.size() < kRunsTogether) {
      const auto begin = static_cast<uint32_t>(random() % 601);
      const auto end = static_cast<uint32_t>(std::min<uint64_t>(600, begin + random() % 20));
      if (total + end - begin > kScanRun) break;
      total += end - begin;
      runs.push_back({begin, end});
      for (uint32_t i = begin; i < end; ++i) {
        if (std::popcount(hashes[i] ^ query) <= radius) expected.push_back(i);
      }
    }
    for (const HammingKernels& kernels : all) {
      CAPTURE(kernels.name);
      std::vector<uint32_t> found(kScanRun + 16);
      found.resize(kernels.scan_runs(hashes.data(), runs.data(), runs.size(), query, radius, found.data()));
      CHECK(found == expected);
    }
  }
}

TEST_CASE("a block of queries finds what each of them finds alone, through tables of many regions") {
  const std::vector<uint64_t> hashes = RandomHashes(70'000, 12);
  const HammingIndex<uint64_t> index(std::span<const uint64_t>(hashes), 8);
  QueryBlock<uint64_t> block(1000);
  std::vector<std::vector<uint32_t>> expected(1000);
  for (size_t q = 0; q < expected.size(); ++q) {
    block.queries[q] = hashes[q * 70];
    for (uint32_t i = 0; i < hashes.size(); ++i) {
      if (std::popcount(hashes[i] ^ block.queries[q]) <= 8) expected[q].push_back(i);
    }
  }
  for (const int threads : {1, 3}) {
    std::vector<std::vector<std::pair<size_t, uint32_t>>> by_thread(3);
    std::atomic<int> wrong = 0;
    index.QueryOnThreads(block, 1000, threads, [&](int thread, size_t place, uint32_t id, int distance) {
      if (distance != std::popcount(hashes[id] ^ block.queries[place])) ++wrong;
      by_thread[static_cast<size_t>(thread)].emplace_back(place, id);
      return place % 10 != 0;  // of every tenth, one is enough
    });
    std::vector<std::vector<uint32_t>> found(1000);
    for (const auto& pairs : by_thread) {
      for (const auto& [place, id] : pairs) found[place].push_back(id);
    }
    CHECK(wrong == 0);
    bool all_found = true, ended = true;
    for (size_t q = 0; q < found.size(); ++q) {
      std::sort(found[q].begin(), found[q].end());
      if (q % 10 != 0) {
        all_found = all_found && found[q] == expected[q];
        continue;
      }
      // Each thread may be in the middle of another region.
      ended = ended && !found[q].empty() && found[q].size() <= static_cast<size_t>(threads) &&
              std::includes(expected[q].begin(), expected[q].end(), found[q].begin(), found[q].end());
    }
    CHECK(all_found);
    CHECK(ended);
  }
}

TEST_CASE("PairsWithin agrees with the scalar oracle on random input of every length up to 300") {
  for (size_t n = 0; n <= 300; ++n) {
    const auto hashes = RandomHashes(n, 1000 + n);
    const int radius = static_cast<int>(n % 65);
    CAPTURE(n);
    CHECK(Pairs(hashes, radius, 1 + static_cast<int>(n % 3)) == PairsWithinScalar(hashes, radius));
  }
}

TEST_CASE("PairsWithin agrees with the scalar oracle at every radius") {
  const auto hashes = RandomHashes(600, 7);
  for (int radius = 0; radius <= 64; ++radius) {
    CAPTURE(radius);
    CHECK(Pairs(hashes, radius, 2) == PairsWithinScalar(hashes, radius));
  }
}

TEST_CASE("every plan finds the same, whatever its parts") {
  const auto hashes = RandomHashes(800, 8);
  for (int radius = 0; radius <= 20; ++radius) {
    for (int tables = 1; tables <= std::min(8, radius + 1); ++tables) {
      for (int width = 0; width <= std::min(12, 64 / tables); width += 4) {
        IndexPlan plan{width, {}, 0};
        for (int t = 0; t < tables; ++t) {
          plan.thresholds.push_back((radius + 1) / tables - 1 + (t < (radius + 1) % tables ? 1 : 0));
        }
        const HammingIndex<uint64_t> index(std::span<const uint64_t>(hashes), radius, plan);
        const uint64_t query = hashes[static_cast<size_t>(radius * 31 + tables)];
        std::vector<uint32_t> expected, found;
        for (uint32_t i = 0; i < hashes.size(); ++i) {
          if (std::popcount(hashes[i] ^ query) <= radius) expected.push_back(i);
        }
        index.Query(query, [&](uint32_t position, int distance) {
          CHECK(distance == std::popcount(hashes[position] ^ query));
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

TEST_CASE("the plan for a million hashes at radius 10 probes parts instead of scanning") {
  // By hand: four parts of 16 bits within 2, 2, 2 and 1 flipped bits need 3 * 137 + 17 = 428 buckets of 15.
  const IndexPlan plan = IndexPlan::Choose(1'000'000, 10);
  CHECK(plan.width == 16);
  CHECK(plan.thresholds == std::vector<int>{2, 2, 2, 1});
  CHECK(IndexPlan::Choose(1'000'000, 40).width == 0);
}

TEST_CASE("1,500 equal hashes give all 1,124,250 pairs, in order, through buffers that hold far fewer") {
  const std::vector<uint64_t> hashes(1500, 0x0123456789abcdef);
  uint64_t count = 0;
  HammingPair last{0, 0, 0};
  bool ordered = true;
  const StopFlag stop;
  const Status status = PairsWithin(hashes, 3, 2, stop, [&](std::span<const HammingPair> block) {
    for (const HammingPair& pair : block) {
      ordered = ordered && last < pair && pair.distance == 0;
      last = pair;
      ++count;
    }
  });
  CHECK(status.ok());
  CHECK(ordered);
  CHECK(count == 1500 * 1499 / 2);
}

TEST_CASE("PairsWithin ends as interrupted when asked to stop") {
  const auto hashes = RandomHashes(2000, 9);
  StopFlag stop;
  int calls = 0;
  const Status status = PairsWithin(hashes, 10, 1, stop, [&](std::span<const HammingPair>) {
    ++calls;
    stop.RequestStop();
  });
  CHECK(calls == 1);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kInterrupted);
}

}  // namespace
}  // namespace imgmill
