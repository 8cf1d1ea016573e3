// Groups of what is near by hash and passes a second look, against two plain loops.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <random>
#include <tuple>

#include "imgmill/memory/pool.h"
#include "imgmill/similarity/grouping.h"
#include "similarity/clustered.h"
#include "similarity/keeper_grouping.h"
#include "similarity/ranked.h"

namespace imgmill {
namespace {

/// A second look that depends on the pair only: half of the pairs pass.
std::optional<SecondLook> Look(uint32_t a, uint32_t b) {
  const uint32_t mixed = (std::min(a, b) * 2654435761U) ^ (std::max(a, b) * 2246822519U);
  if ((mixed >> 7) % 2 == 0) return std::nullopt;
  SecondLook look;
  look.difference = (mixed >> 8) % 100 / 100.0;
  look.left = 0.5f;
  return look;
}

/// The same as a Verify puts it: of those that do not pass, some could not be laid, some were not asked.
LookVerdict Verdict(uint32_t a, uint32_t b) {
  using Kind = LookVerdict::Kind;
  if (const std::optional<SecondLook> look = Look(a, b)) return {Kind::kAlike, *look};
  const uint32_t which = (a * 7 + b * 13) % 5;
  if (which == 0) return {Kind::kNotLooked, {}};
  if (which == 1) return {Kind::kNotLaid, {}};
  SecondLook look;
  look.difference = 2 + which;
  return {Kind::kDiffers, look};
}

using Refused = std::vector<std::tuple<uint32_t, uint32_t, int, uint32_t, bool, double>>;
OnRefused Into(Refused& refused) {
  return [&refused](const RefusedPair& pair) {
    refused.emplace_back(pair.keeper, pair.other, pair.measure.distance, pair.measure.pose, pair.laid,
                         pair.measure.look.difference);
  };
}

/// What keepers would have taken by hash, one after the other, by plain loops.
/// @param near  the distance of a keeper's pose; @param verdict  of that pose
Refused RefusedByPlainLoops(const std::vector<uint32_t>& order, uint32_t poses, int radius,
                            const std::function<int(uint32_t, uint32_t, uint32_t)>& near,
                            const std::function<LookVerdict(uint32_t, uint32_t, uint32_t)>& verdict) {
  const auto n = static_cast<uint32_t>(order.size());
  std::vector<uint32_t> best_first(n);
  for (uint32_t i = 0; i < n; ++i) best_first[i] = i;
  std::stable_sort(best_first.begin(), best_first.end(),
                   [&](uint32_t a, uint32_t b) { return order[a] < order[b]; });
  std::vector<bool> taken(n);
  Refused refused;
  for (const uint32_t keeper : best_first) {
    if (taken[keeper]) continue;
    taken[keeper] = true;
    for (uint32_t other = 0; other < n; ++other) {
      if (taken[other]) continue;
      bool alike = false;
      LookVerdict least;
      std::pair<int, uint32_t> where;
      for (int distance = 0; distance <= radius; ++distance) {
        for (uint32_t pose = 0; pose < poses; ++pose) {
          if (near(keeper, other, pose) != distance) continue;
          const LookVerdict seen = verdict(keeper, other, pose);
          alike = alike || seen.alike();
          const bool first = !least.refused() && seen.refused();
          const bool laid =
              least.kind == LookVerdict::Kind::kNotLaid && seen.kind == LookVerdict::Kind::kDiffers;
          const bool less = least.kind == LookVerdict::Kind::kDiffers && seen.kind == least.kind &&
                            seen.look.difference < least.look.difference;
          if (first || laid || less) least = seen, where = {distance, pose};
        }
      }
      if (alike) taken[other] = true;
      if (alike || !least.refused()) continue;
      refused.emplace_back(keeper, other, where.first, where.second,
                           least.kind == LookVerdict::Kind::kDiffers, least.look.difference);
    }
  }
  return refused;
}

}  // namespace

TEST_CASE("verified groups are those of two plain loops, and take no more than is leased for them") {
  const StopFlag stop;
  for (uint64_t seed = 0; seed < 9; ++seed) {
    // The last one gives keepers more neighbours than there is room for at once.
    const size_t n = seed < 4 ? 50 : seed < 8 ? 1500 : 6000;
    const int radius = seed == 8 ? 64 : static_cast<int>(seed % 4) * 4;
    const std::vector<uint64_t> hashes = Clustered(n, seed, 5);
    std::vector<uint32_t> order(n);
    std::mt19937 random(static_cast<unsigned>(seed));
    for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % n);
    using Measure = std::optional<VerifiedMeasure>;
    const auto expected = GroupByPlainLoops<VerifiedMeasure>(order, [&](uint32_t keeper, uint32_t other) {
      const int distance = std::popcount(hashes[keeper] ^ hashes[other]);
      const std::optional<SecondLook> look = Look(keeper, other);
      return distance <= radius && look ? Measure({distance, 0, *look}) : Measure();
    });
    REQUIRE(!expected.empty());
    const Refused turned_away = RefusedByPlainLoops(
        order, 1, radius,
        [&](uint32_t a, uint32_t b, uint32_t) { return std::popcount(hashes[a] ^ hashes[b]); },
        [](uint32_t a, uint32_t b, uint32_t) { return Verdict(a, b); });
    REQUIRE(!turned_away.empty());
    for (const int threads : {1, 3}) {
      Refused refused;
      HostPool().ResetPeak();
      const size_t before = HostPool().Stats().charged;
      const auto groups = GroupVerified(
          Ranked(hashes, order), {}, radius,
          [](int, uint32_t keeper, uint32_t other, size_t) -> Result<LookVerdict> {
            return Verdict(keeper, other);
          },
          threads, stop, Into(refused));
      REQUIRE(groups.ok());
      CHECK(*groups == expected);
      CHECK(refused == turned_away);
      CHECK(HostPool().Stats().peak_charged - before <=
            VerifiedGroupingBytes(n, 0, radius, threads) + 64 * 1024);
    }
    if (n > 1500) continue;
    // Whoever has a neighbour that counts is told.
    using Told = std::vector<std::pair<uint32_t, bool>>;
    Told with;
    const auto differs = [](uint32_t a, uint32_t b) { return a % 3 != b % 3; };
    REQUIRE(WithNeighbours(hashes, {}, radius, differs, 3, stop,
                           [&](uint32_t item, bool counts) { with.emplace_back(item, counts); }));
    Told plain;
    for (uint32_t i = 0; i < n; ++i) {
      bool near = false, counts = false;
      for (uint32_t j = 0; j < n; ++j) {
        if (i == j || std::popcount(hashes[i] ^ hashes[j]) > radius) continue;
        near = true;
        counts = counts || differs(i, j);
      }
      if (near) plain.emplace_back(i, counts);
    }
    CHECK(with == plain);
  }
}

TEST_CASE("keepers in several poses take what is near one of them, the nearest that is verified") {
  const StopFlag stop;
  const size_t n = 800, poses = 4;
  const int radius = 9;
  const std::vector<uint64_t> hashes = Clustered(n, 77, 5);
  std::vector<uint32_t> order(n);
  std::mt19937 random(77);
  for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % n);
  PosedHashes posed(n, poses);
  for (size_t i = 0; i < n; ++i) {
    posed.hashes[i * poses] = hashes[i];
    // Some are another item's hash, with a few bits changed.
    for (size_t pose = 1; pose < poses; ++pose)
      posed.hashes[i * poses + pose] = hashes[random() % n] ^ (uint64_t{1} << random() % 64);
  }
  const auto look = [](uint32_t keeper, uint32_t other, size_t pose) {
    return Look(keeper * 5 + static_cast<uint32_t>(pose), other);
  };
  using Measure = std::optional<VerifiedMeasure>;
  const auto near = [&](uint32_t keeper, uint32_t other, size_t pose) {
    return std::popcount(posed.of(keeper)[pose] ^ hashes[other]);
  };
  const auto expected = GroupByPlainLoops<VerifiedMeasure>(order, [&](uint32_t keeper, uint32_t other) {
    Measure best;
    for (uint32_t pose = 0; pose < poses; ++pose) {
      const int distance = near(keeper, other, pose);
      const std::optional<SecondLook> seen = look(keeper, other, pose);
      if (distance <= radius && seen && (!best || distance < best->distance)) best = {distance, pose, *seen};
    }
    return best;
  });
  const auto turned = [](const VerifiedGroup& group) {
    return std::any_of(group.members.begin(), group.members.end(),
                       [](const auto& member) { return member.measure.pose > 0; });
  };
  REQUIRE(std::any_of(expected.begin(), expected.end(), turned));
  const Refused turned_away = RefusedByPlainLoops(
      order, poses, radius, near,
      [](uint32_t keeper, uint32_t other, uint32_t pose) { return Verdict(keeper * 5 + pose, other); });
  REQUIRE(std::any_of(turned_away.begin(), turned_away.end(),
                      [](const auto& pair) { return std::get<3>(pair) > 0; }));
  for (const int threads : {1, 3}) {
    Refused refused;
    const auto groups = GroupVerified(
        Ranked(hashes, order), posed, radius,
        [&](int, uint32_t keeper, uint32_t other, size_t pose) -> Result<LookVerdict> {
          return Verdict(keeper * 5 + static_cast<uint32_t>(pose), other);
        },
        threads, stop, Into(refused));
    REQUIRE(groups.ok());
    CHECK(*groups == expected);
    CHECK(refused == turned_away);
  }
  // Both sides of a pair are told, also where only one has a pose that is near.
  std::vector<uint32_t> with, plain;
  const auto differs = [](uint32_t, uint32_t) { return true; };
  REQUIRE(WithNeighbours(hashes, posed, radius, differs, 3, stop,
                         [&](uint32_t item, bool) { with.push_back(item); }));
  for (uint32_t i = 0; i < n; ++i) {
    bool found = false;
    for (uint32_t j = 0; j < n; ++j) {
      for (size_t pose = 0; pose < poses && i != j; ++pose)
        found = found || near(i, j, pose) <= radius || near(j, i, pose) <= radius;
    }
    if (found) plain.push_back(i);
  }
  CHECK(with == plain);
}

TEST_CASE("a second look that fails ends the search, and so does a stop") {
  const std::vector<uint64_t> hashes = {0, 1, 2};
  const std::vector<uint32_t> order = {0, 1, 2};
  StopFlag stop;
  const auto fails = [](int, uint32_t, uint32_t, size_t) -> Result<LookVerdict> {
    return Error{Stage::kReduce, Code::kReadError, "no"};
  };
  CHECK(GroupVerified(Ranked(hashes, order), {}, 2, fails, 2, stop).error().message == "no");
  stop.RequestStop();
  CHECK(GroupVerified(Ranked(hashes, order), {}, 2, fails, 2, stop).error().code == Code::kInterrupted);
  CHECK_FALSE(WithNeighbours(
      hashes, {}, 2, [](uint32_t, uint32_t) { return true; }, 1, stop, [](uint32_t, bool) {}));
}

}  // namespace imgmill
