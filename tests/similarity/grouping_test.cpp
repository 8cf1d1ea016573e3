// GroupByHamming against its oracle, by hand, and on the input that breaks searches which store pairs.
#include "imgmill/similarity/grouping.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>

#include "imgmill/memory/pool.h"
#include "similarity/clustered.h"
#include "similarity/keeper_grouping.h"
#include "similarity/ranked.h"

namespace imgmill {
namespace {

std::vector<HammingGroup> Group(std::span<const uint64_t> hashes, std::span<const uint32_t> order, int radius,
                                int threads) {
  const StopFlag stop;
  auto groups = GroupByHamming(Ranked(hashes, order), radius, threads, stop);
  REQUIRE(groups.ok());
  return *std::move(groups);
}

std::vector<uint32_t> RandomOrder(size_t n, uint64_t seed, bool with_ties) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), uint32_t{0});
  std::mt19937_64 random(seed);
  std::shuffle(order.begin(), order.end(), random);
  if (with_ties) {
    for (uint32_t& rank : order) rank /= 5;
  }
  return order;
}

TEST_CASE("a chain is not a group: a member is within the radius of its keeper") {
  // 0 - 3 - 6 - 9 bits set: neighbours are 3 apart. The best one is the second.
  const std::vector<uint64_t> hashes = {0, 0b111, 0b111111, 0b111111111};
  const std::vector<uint32_t> order = {1, 0, 2, 3};
  const auto groups = Group(hashes, order, 3, 1);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].keeper == 1);
  CHECK(groups[0].members == std::vector<HammingGroup::Member>{{0, 3}, {2, 3}});
}

TEST_CASE("GroupByHamming agrees with the scalar oracle on random input of every length up to 300") {
  for (size_t n = 0; n <= 300; ++n) {
    const auto hashes = Clustered(n, n, 8);
    const auto order = RandomOrder(n, n, n % 2 == 0);
    const int radius = static_cast<int>(n % 65);
    CAPTURE(n);
    CHECK(Group(hashes, order, radius, 1 + static_cast<int>(n % 3)) ==
          GroupByHammingScalar(hashes, order, radius));
  }
}

TEST_CASE("GroupByHamming with a rule for pairs is two plain loops with it, equal hashes among them") {
  const StopFlag stop;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const size_t n = seed < 8 ? 200 : 5000;
    auto hashes = Clustered(n, seed, 8);
    for (size_t i = 0; i < n; i += 3) hashes[i] = hashes[i / 2];
    const auto order = RandomOrder(n, seed, seed % 2 == 0);
    const int radius = static_cast<int>(seed % 4) * 3;
    const PairRule rule = [&](uint32_t keeper, uint32_t other) {
      return seed % 3 == 0 ? keeper % 2 == 0 && other % 2 == 1 : keeper % 3 != other % 3;
    };
    const auto expected =
        GroupByPlainLoops<int>(order, [&](uint32_t keeper, uint32_t other) -> std::optional<int> {
          const int distance = std::popcount(hashes[keeper] ^ hashes[other]);
          return distance <= radius && rule(keeper, other) ? std::optional(distance) : std::nullopt;
        });
    CHECK_FALSE(expected.empty());
    for (const int threads : {1, 3}) {
      const auto groups = GroupByHamming(Ranked(hashes, order), radius, threads, stop, rule);
      REQUIRE(groups.ok());
      CHECK(*groups == expected);
    }
  }
}

TEST_CASE("GroupByHamming agrees with the scalar oracle at every radius") {
  const auto hashes = Clustered(1200, 5, 20);
  const auto order = RandomOrder(hashes.size(), 5, false);
  for (int radius = 0; radius <= 64; ++radius) {
    CAPTURE(radius);
    CHECK(Group(hashes, order, radius, 2) == GroupByHammingScalar(hashes, order, radius));
  }
}

TEST_CASE("the groups do not depend on the threads, through many blocks and new indexes") {
  const auto hashes = Clustered(9000, 11, 12);
  const auto order = RandomOrder(hashes.size(), 11, false);
  const auto expected = GroupByHammingScalar(hashes, order, 10);
  CHECK(Group(hashes, order, 10, 1) == expected);
  CHECK(Group(hashes, order, 10, 2) == expected);
  CHECK(Group(hashes, order, 10, 5) == expected);
}

TEST_CASE("candidates with more neighbours than a buffer holds are searched again, with equal results") {
  // 2^17 hashes that differ only in 17 low bits, at radius 9: a keeper has 65,535 neighbours or more.
  std::vector<uint64_t> hashes(1 << 17);
  std::iota(hashes.begin(), hashes.end(), uint64_t{0});
  const auto order = RandomOrder(hashes.size(), 3, false);
  const auto groups = Group(hashes, order, 9, 2);
  CHECK(groups == GroupByHammingScalar(hashes, order, 9));
  size_t most = 0;
  for (const auto& group : groups) most = std::max(most, group.members.size());
  CHECK(most > 65536);
}

TEST_CASE("100,000 equal hashes among others are one group, in bounded memory") {
  std::vector<uint64_t> hashes(100'000, 0);
  std::mt19937_64 random(4);
  for (int i = 0; i < 10'000; ++i) hashes.push_back(random());
  std::vector<uint32_t> order(hashes.size());
  std::iota(order.rbegin(), order.rend(), uint32_t{0});
  HostPool().ResetPeak();
  const size_t before = HostPool().Stats().charged;
  const auto groups = Group(hashes, order, 5, 2);
  const size_t peak = HostPool().Stats().peak_charged;
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].keeper == 99'999);
  CHECK(groups[0].members.size() == 99'999);
  // Half again: pages and freed runs of the pool.
  CHECK(peak - before <= GroupByHammingBytes(hashes.size(), 5, 2) * 3 / 2);
}

TEST_CASE("GroupByHamming ends as interrupted when asked to stop") {
  const auto hashes = Clustered(100, 1, 3);
  const auto order = RandomOrder(100, 1, false);
  StopFlag stop;
  stop.RequestStop();
  const auto groups = GroupByHamming(Ranked(hashes, order), 3, 1, stop);
  REQUIRE_FALSE(groups.ok());
  CHECK(groups.error().code == Code::kInterrupted);
}

}  // namespace
}  // namespace imgmill
