// Groups of what is near by hash and passes a second look, against two plain loops.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <random>

#include "imgmill/memory/pool.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/clustered.h"
#include "similarity/keeper_grouping.h"
#include "similarity/ranked.h"

namespace imgmill {
namespace {

/// A second look that depends on the pair only: half of the pairs pass.
std::optional<double> Look(uint32_t a, uint32_t b) {
  const uint32_t mixed = (std::min(a, b) * 2654435761U) ^ (std::max(a, b) * 2246822519U);
  if ((mixed >> 7) % 2 == 0) return std::nullopt;
  return (mixed >> 8) % 100 / 100.0;
}

}  // namespace

TEST_CASE("verified groups are those of two plain loops, and take no more than is leased for them") {
  const StopFlag stop;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const size_t n = seed < 4 ? 50 : 1500;
    const int radius = static_cast<int>(seed % 4) * 4;
    const std::vector<uint64_t> hashes = Clustered(n, seed, 5);
    std::vector<uint32_t> order(n);
    std::mt19937 random(static_cast<unsigned>(seed));
    for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % n);
    const auto expected = GroupByPlainLoops<double>(order, [&](uint32_t keeper, uint32_t other) {
      if (std::popcount(hashes[keeper] ^ hashes[other]) > radius) return std::optional<double>();
      return Look(keeper, other);
    });
    REQUIRE(!expected.empty());
    HostPool().ResetPeak();
    const size_t before = HostPool().Stats().charged;
    const auto groups = GroupVerified(
        Ranked(hashes, order), radius,
        [](uint32_t keeper, uint32_t other) -> Result<std::optional<double>> { return Look(keeper, other); },
        stop);
    REQUIRE(groups.ok());
    CHECK(*groups == expected);
    CHECK(HostPool().Stats().peak_charged - before <= VerifiedGroupingBytes(n, radius) + 64 * 1024);
    // Everyone in a group has a neighbour, and whoever has one is told.
    std::vector<uint32_t> with;
    REQUIRE(WithNeighbours(hashes, radius, stop, [&](uint32_t item) { with.push_back(item); }));
    std::vector<uint32_t> plain;
    for (uint32_t i = 0; i < n; ++i) {
      for (uint32_t j = 0; j < n; ++j) {
        if (i == j || std::popcount(hashes[i] ^ hashes[j]) > radius) continue;
        plain.push_back(i);
        break;
      }
    }
    CHECK(with == plain);
  }
}

TEST_CASE("a second look that fails ends the search, and so does a stop") {
  const std::vector<uint64_t> hashes = {0, 1, 2};
  const std::vector<uint32_t> order = {0, 1, 2};
  StopFlag stop;
  const auto fails = [](uint32_t, uint32_t) -> Result<std::optional<double>> {
    return Error{Stage::kReduce, Code::kReadError, "no"};
  };
  CHECK(GroupVerified(Ranked(hashes, order), 2, fails, stop).error().message == "no");
  stop.RequestStop();
  CHECK(GroupVerified(Ranked(hashes, order), 2, fails, stop).error().code == Code::kInterrupted);
  CHECK_FALSE(WithNeighbours(hashes, 2, stop, [](uint32_t) {}));
}

}  // namespace imgmill
