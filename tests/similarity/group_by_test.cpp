// Cliques and components, by every search that makes them, against plain loops over all pairs.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "imgmill/memory/pool.h"
#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/ivf_grouping.h"
#include "similarity/clustered.h"
#include "similarity/measure_order.h"
#include "similarity/near_vectors.h"
#include "similarity/ranked.h"

namespace imgmill {
namespace {

/// How near two items are, the better one first; nothing where they are not alike.
template <typename Measure>
using Near = std::function<std::optional<Measure>(uint32_t better, uint32_t other)>;

std::vector<uint32_t> BestFirst(std::span<const uint32_t> order) {
  std::vector<uint32_t> items(order.size());
  std::iota(items.begin(), items.end(), uint32_t{0});
  std::stable_sort(items.begin(), items.end(), [&](uint32_t a, uint32_t b) { return order[a] < order[b]; });
  return items;
}

/// The best free item takes, best first, what is like all that it has; `weakest` is that of all its pairs,
/// found without a look at the order in which they were compared.
template <typename Measure>
std::vector<KeeperGroup<Measure>> PlainCliques(std::span<const uint32_t> order, const Near<Measure>& near) {
  const std::vector<uint32_t> items = BestFirst(order);
  std::vector<bool> taken(order.size());
  std::vector<KeeperGroup<Measure>> groups;
  for (const uint32_t keeper : items) {
    if (taken[keeper]) continue;
    std::vector<uint32_t> clique = {keeper};
    KeeperGroup<Measure> group{keeper, {}, {}};
    for (const uint32_t item : items) {
      if (item == keeper || taken[item]) continue;
      if (!std::ranges::all_of(clique, [&](uint32_t has) { return near(has, item).has_value(); })) continue;
      for (const uint32_t has : clique) NoteWeakest(group, {has, item, *near(has, item)});
      clique.push_back(item);
      group.members.push_back({item, *near(keeper, item)});
    }
    for (const uint32_t item : clique) taken[item] = true;
    std::sort(group.members.begin(), group.members.end());
    if (clique.size() > 1) groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

/// Cliques are the same if their members are, and if the weakest pair is a pair of the group with that
/// measure; which one of several is open.
template <typename Measure>
void CheckCliques(const std::vector<KeeperGroup<Measure>>& groups,
                  const std::vector<KeeperGroup<Measure>>& expected, const Near<Measure>& near) {
  REQUIRE(groups.size() == expected.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    CHECK(groups[i].keeper == expected[i].keeper);
    CHECK(groups[i].members == expected[i].members);
    REQUIRE(groups[i].weakest);
    std::set<uint32_t> all = {groups[i].keeper};
    for (const auto& member : groups[i].members) all.insert(member.index);
    const auto& weakest = *groups[i].weakest;
    CHECK(all.contains(weakest.first));
    CHECK(all.contains(weakest.second));
    CHECK(weakest.first != weakest.second);
    CHECK(near(weakest.first, weakest.second) == std::optional(weakest.measure));
    CHECK_FALSE(IsNearer(weakest.measure, expected[i].weakest->measure));
  }
}

/// The pairs in turn make links where nothing joins the two yet: by Kruskal's algorithm the nearest first, of
/// equals those of the best items.
/// @param nearest_first  else those of the best items
template <typename Measure>
std::vector<KeeperGroup<Measure>> PlainComponents(const std::vector<uint32_t>& items,
                                                  const Near<Measure>& near, bool nearest_first) {
  std::map<uint32_t, uint32_t> tree_of;
  for (const uint32_t item : items) tree_of[item] = item;
  std::vector<typename KeeperGroup<Measure>::Pair> pairs;
  for (size_t i = 0; i < items.size(); ++i) {
    for (size_t j = i + 1; j < items.size(); ++j) {
      if (const auto measure = near(items[i], items[j])) pairs.push_back({items[i], items[j], *measure});
    }
  }
  if (nearest_first)
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const auto& a, const auto& b) { return IsNearer(a.measure, b.measure); });
  std::map<uint32_t, std::map<uint32_t, Measure>> links;
  for (const auto& [first, second, measure] : pairs) {
    const uint32_t one = tree_of[first], another = tree_of[second];
    if (one == another) continue;
    for (auto& [item, tree] : tree_of) tree = tree == another ? one : tree;
    links[first][second] = measure;
    links[second][first] = measure;
  }
  std::vector<KeeperGroup<Measure>> groups;
  std::set<uint32_t> done;
  for (const uint32_t keeper : items) {
    if (done.contains(keeper) || !links.contains(keeper)) continue;
    KeeperGroup<Measure> group{keeper, {}, {}};
    std::vector<uint32_t> way = {keeper};
    done.insert(keeper);
    for (size_t i = 0; i < way.size(); ++i) {
      for (const auto& [to, measure] : links[way[i]]) {
        if (!done.insert(to).second) continue;
        group.members.push_back({to, measure, way[i] == keeper ? group.kKeeper : way[i]});
        way.push_back(to);
      }
    }
    std::sort(group.members.begin(), group.members.end());
    groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

/// The same, where items of equal keys are linked to the best of them before all else.
template <typename Measure, typename Key>
std::vector<KeeperGroup<Measure>> PlainComponents(std::span<const uint32_t> order,
                                                  const std::vector<Key>& keys, Measure equal,
                                                  const Near<Measure>& near) {
  std::vector<uint32_t> distinct;
  std::map<Key, std::vector<uint32_t>> of_key;
  for (const uint32_t item : BestFirst(order)) {
    if (of_key[keys[item]].empty()) distinct.push_back(item);
    of_key[keys[item]].push_back(item);
  }
  auto groups = PlainComponents<Measure>(distinct, near, true);
  std::set<uint32_t> grouped;
  for (auto& group : groups) {
    grouped.insert(group.keeper);
    for (const auto& member : group.members) grouped.insert(member.index);
  }
  for (const uint32_t item : distinct) {
    if (!grouped.contains(item) && of_key[keys[item]].size() > 1) groups.push_back({item, {}, {}});
  }
  for (auto& group : groups) {
    std::vector<uint32_t> all = {group.keeper};
    for (const auto& member : group.members) all.push_back(member.index);
    for (const uint32_t item : all) {
      const auto& same = of_key[keys[item]];
      for (size_t i = 1; i < same.size(); ++i)
        group.members.push_back({same[i], equal, item == group.keeper ? group.kKeeper : item});
    }
    std::sort(group.members.begin(), group.members.end());
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<uint32_t> RandomOrder(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint32_t> order(n);
  for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % n);
  return order;
}

std::vector<HammingGroup> Group(const std::vector<uint64_t>& hashes, const std::vector<uint32_t>& order,
                                int radius, int threads, GroupBy by, const PairRule& rule = {}) {
  auto groups = GroupByHamming(Ranked(hashes, order), radius, threads, StopFlag(), rule, by);
  REQUIRE(groups.ok());
  return *std::move(groups);
}

}  // namespace

TEST_CASE("a chain that drifts apart is split by keepers and by cliques, and whole as a component") {
  // 0, 3, 6, 9 and 12 bits are set: neighbours are 3 apart.
  const std::vector<uint64_t> hashes = {0, 0b111, 0b111111, 0b111111111, 0b111111111111};
  const std::vector<uint32_t> order = {1, 0, 2, 3, 4};
  using Members = std::vector<HammingGroup::Member>;
  using Pair = HammingGroup::Pair;

  const auto around = Group(hashes, order, 3, 1, GroupBy::kKeeper);
  REQUIRE(around.size() == 2);
  CHECK(around[0].members == Members{{0, 3}, {2, 3}});  // 0 and 2 are 6 apart
  CHECK(around[1].members == Members{{4, 3}});

  const auto cliques = Group(hashes, order, 3, 1, GroupBy::kClique);
  REQUIRE(cliques.size() == 2);
  CHECK(cliques[0].keeper == 1);
  CHECK(cliques[0].members == Members{{0, 3}});
  CHECK(cliques[0].weakest == Pair{1, 0, 3});
  CHECK(cliques[1].keeper == 2);
  CHECK(cliques[1].members == Members{{3, 3}});

  const auto whole = Group(hashes, order, 3, 1, GroupBy::kComponent);
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].keeper == 1);
  CHECK(whole[0].members == Members{{0, 3}, {2, 3}, {3, 3, 2}, {4, 3, 3}});
}

TEST_CASE("a component hangs together by its shortest links, whatever item comes first") {
  // The first two are 10 apart, and each is near the third.
  const std::vector<uint64_t> hashes = {0, 0b1111111111, 0b11111};
  for (const auto& order : {std::vector<uint32_t>{0, 1, 2}, {2, 1, 0}, {1, 2, 0}}) {
    const auto groups = Group(hashes, order, 10, 1, GroupBy::kComponent);
    REQUIRE(groups.size() == 1);
    for (const auto& member : groups[0].members) CHECK(member.measure == 5);
  }
}

TEST_CASE("the weakest pair of a clique may be one of two members") {
  const std::vector<uint64_t> hashes = {0, 0b11, 0b1100, 0b1};
  const auto cliques = Group(hashes, {0, 1, 2, 3}, 4, 1, GroupBy::kClique);
  REQUIRE(cliques.size() == 1);
  CHECK(cliques[0].members.size() == 3);
  CHECK(cliques[0].weakest == HammingGroup::Pair{1, 2, 4});
}

TEST_CASE("cliques and components by hash are those of plain loops, whatever the threads") {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const size_t n = seed < 54 ? seed * 4 : 700;
    const int radius = static_cast<int>(seed % 8) * 2;
    const auto hashes = Clustered(n, seed, 8);
    const auto order = RandomOrder(n, seed);
    CAPTURE(seed);
    const Near<int> near = [&](uint32_t a, uint32_t b) {
      const int distance = std::popcount(hashes[a] ^ hashes[b]);
      return distance <= radius ? std::optional(distance) : std::nullopt;
    };
    const auto cliques = PlainCliques(order, near);
    const auto components = PlainComponents(order, hashes, 0, near);
    for (const int threads : {1, 3}) {
      CheckCliques(Group(hashes, order, radius, threads, GroupBy::kClique), cliques, near);
      CHECK(Group(hashes, order, radius, threads, GroupBy::kComponent) == components);
    }
    // Within folders: a rule that divides the items.
    const PairRule within = [](uint32_t a, uint32_t b) { return a % 2 == b % 2; };
    const Near<int> near_within = [&](uint32_t a, uint32_t b) {
      return within(a, b) ? near(a, b) : std::nullopt;
    };
    CheckCliques(Group(hashes, order, radius, 2, GroupBy::kClique, within), PlainCliques(order, near_within),
                 near_within);
    CHECK(Group(hashes, order, radius, 2, GroupBy::kComponent, within) ==
          PlainComponents<int>(BestFirst(order), near_within, true));
  }
}

TEST_CASE("a component with more near pairs than a buffer holds is searched again, with equal results") {
  // All 2^13 hashes of 13 bits: each has 4095 others or so within 6, the threads 33 million pairs.
  std::vector<uint64_t> hashes(1 << 13);
  std::iota(hashes.begin(), hashes.end(), uint64_t{0});
  const auto order = RandomOrder(hashes.size(), 3);
  const auto one = Group(hashes, order, 6, 1, GroupBy::kComponent);
  REQUIRE(one.size() == 1);
  CHECK(one[0].members.size() == hashes.size() - 1);
  CHECK(Group(hashes, order, 6, 3, GroupBy::kComponent) == one);
}

TEST_CASE("100,000 equal hashes among others are one group of any kind, in bounded memory") {
  std::vector<uint64_t> hashes(100'000, 0);
  std::mt19937_64 random(4);
  for (int i = 0; i < 10'000; ++i) hashes.push_back(random());
  std::vector<uint32_t> order(hashes.size());
  std::iota(order.rbegin(), order.rend(), uint32_t{0});
  for (const GroupBy by : {GroupBy::kClique, GroupBy::kComponent}) {
    HostPool().ResetPeak();
    const size_t before = HostPool().Stats().charged;
    const auto groups = Group(hashes, order, 5, 2, by);
    const size_t peak = HostPool().Stats().peak_charged;
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].keeper == 99'999);
    CHECK(groups[0].members.size() == 99'999);
    // Half again: pages and freed runs of the pool.
    CHECK(peak - before <= GroupByHammingBytes(hashes.size(), 5, 2, by) * 3 / 2);
  }
}

TEST_CASE("100,000 equal hashes that are alike are one group of any kind, with hardly more looks") {
  std::vector<uint64_t> hashes(100'000, 0);
  std::vector<uint32_t> order(hashes.size());
  std::iota(order.rbegin(), order.rend(), uint32_t{0});
  for (const GroupBy by : {GroupBy::kKeeper, GroupBy::kClique, GroupBy::kComponent}) {
    std::atomic<size_t> looks = 0;
    const Verify verify = [&](int, uint32_t, uint32_t, size_t) -> Result<LookVerdict> {
      ++looks;
      return LookVerdict{LookVerdict::Kind::kAlike, {}};
    };
    const auto groups = GroupVerified(Ranked(hashes, order), {}, 5, verify, 2, StopFlag(), {}, by);
    REQUIRE(groups.ok());
    REQUIRE(groups->size() == 1);
    CHECK(groups->front().keeper == 99'999);
    CHECK(groups->front().members.size() == 99'999);
    CHECK(looks.load() >= 99'999);
    CHECK(looks.load() <= 99'999 + 4096);  // a batch of pairs is looked at before what it joins is known
  }
}

TEST_CASE("a search among many that are near one another stops in the midst of a block") {
  // All hashes of 11 bits lie within the radius; the rule stops the search, and forbids.
  std::vector<uint64_t> hashes(1 << 11);
  std::iota(hashes.begin(), hashes.end(), uint64_t{0});
  const auto order = RandomOrder(hashes.size(), 5);
  for (const GroupBy by : {GroupBy::kKeeper, GroupBy::kClique, GroupBy::kComponent}) {
    StopFlag stop;
    size_t asked = 0;
    const PairRule rule = [&](uint32_t, uint32_t) {
      stop.RequestStop();
      ++asked;
      return false;
    };
    const auto groups = GroupByHamming(Ranked(hashes, order), 11, 2, stop, rule, by);
    REQUIRE_FALSE(groups.ok());
    CHECK(groups.error().code == Code::kInterrupted);
    CHECK(asked < hashes.size());
  }
}

TEST_CASE("cliques and components by cosine are those of plain loops, and the lists find them, too") {
  const StopFlag stop;
  for (unsigned seed = 0; seed < 4; ++seed) {
    const Vectors vectors(400, 12, seed);
    const float least = seed % 2 == 0 ? 0.9f : 0.6f;
    const auto order = RandomOrder(vectors.count(), seed);
    std::vector<uint64_t> rows(vectors.count());
    std::iota(rows.begin(), rows.end(), uint64_t{0});
    for (size_t i = 10; i < rows.size(); i += 9) rows[i] = rows[i / 2];  // images of equal content
    const Near<float> near = [&](uint32_t a, uint32_t b) -> std::optional<float> {
      if (rows[a] == rows[b]) return 1.0f;
      const float dot = DotScalar(&vectors.values[rows[a] * 12], &vectors.values[rows[b] * 12], 12);
      return dot >= least ? std::optional(std::min(dot, 1.0f)) : std::nullopt;
    };
    const auto cliques = PlainCliques(order, near);
    const auto components = PlainComponents(order, rows, 1.0f, near);
    REQUIRE(!components.empty());
    for (const int threads : {1, 3}) {
      const auto by = [&](GroupBy how) {
        auto groups = GroupByCosine(vectors.rows(), Ranked(rows, order), least, threads, stop, {}, how);
        REQUIRE(groups.ok());
        return *std::move(groups);
      };
      CheckCliques(by(GroupBy::kClique), cliques, near);
      CHECK(by(GroupBy::kComponent) == components);
      // So few vectors have no more lists than are looked into at least three times over.
      IvfReport report;
      const auto lists =
          GroupByIvf(vectors.rows(), Ranked(rows, order), -1, threads, stop, {}, report, GroupBy::kComponent);
      REQUIRE(lists.ok());
      REQUIRE(lists->size() == 1);
      CHECK(lists->front().members.size() == vectors.count() - 1);
      const auto by_lists =
          GroupByIvf(vectors.rows(), Ranked(rows, order), 0.99f, threads, stop, {}, report, GroupBy::kClique);
      REQUIRE(by_lists.ok());
      for (const auto& group : *by_lists) CHECK(group.weakest->measure >= 0.99f);
    }
  }
}

TEST_CASE("cliques and components of what a second look says, too, are those of plain loops") {
  const StopFlag stop;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    // The last one has more pairs than there is room for at once.
    const size_t n = seed < 4 ? 60 : seed < 9 ? 400 : 900;
    const int radius = seed == 9 ? 64 : static_cast<int>(seed % 4) * 4;
    auto hashes = Clustered(n, seed, 5);
    // Some have the content of an earlier one, and with it its hash.
    std::vector<uint32_t> content(n);
    for (uint32_t i = 0; i < n; ++i) {
      content[i] = i % 5 == 4 ? content[i / 2] : i;
      hashes[i] = hashes[content[i]];
    }
    const auto order = RandomOrder(n, seed);
    const auto verdict = [&](uint32_t a, uint32_t b) -> LookVerdict {
      using Kind = LookVerdict::Kind;
      if (content[a] == content[b]) return {Kind::kAlike, {}};
      const uint32_t mixed =
          std::min(content[a], content[b]) * 2654435761U ^ std::max(content[a], content[b]) * 2246822519U;
      SecondLook look;
      look.difference = static_cast<double>((mixed >> 8) % 100 + 1) / 100;
      look.colours = 1;
      return {(mixed >> 7) % 8 < (seed % 2 == 0 ? 6 : 2) ? Kind::kAlike : Kind::kDiffers, look};
    };
    const Near<VerifiedMeasure> near = [&](uint32_t a, uint32_t b) -> std::optional<VerifiedMeasure> {
      const int distance = std::popcount(hashes[a] ^ hashes[b]);
      const LookVerdict seen = verdict(a, b);
      if (distance > radius || !seen.alike()) return std::nullopt;
      return VerifiedMeasure{distance, 0, seen.look};
    };
    const auto cliques = PlainCliques(order, near);
    const auto components = PlainComponents<VerifiedMeasure>(BestFirst(order), near, false);
    REQUIRE(!components.empty());
    const Verify verify = [&](int, uint32_t keeper, uint32_t other, size_t) -> Result<LookVerdict> {
      const bool better = order[keeper] != order[other] ? order[keeper] < order[other] : keeper < other;
      if (!better)
        return Error{Stage::kReduce, Code::kInternal, "the worse one was asked about as the keeper"};
      return verdict(keeper, other);
    };
    std::vector<std::pair<uint32_t, uint32_t>> first_refused;
    for (const int threads : {1, 3}) {
      const auto by = [&](GroupBy how, const OnRefused& refused) {
        HostPool().ResetPeak();
        const size_t before = HostPool().Stats().charged;
        auto groups = GroupVerified(Ranked(hashes, order), {}, radius, verify, threads, stop, refused, how);
        REQUIRE(groups.ok());
        CHECK(HostPool().Stats().peak_charged - before <=
              VerifiedGroupingBytes(n, 0, radius, threads, how) + 64 * 1024);
        return *std::move(groups);
      };
      CheckCliques(by(GroupBy::kClique, {}), cliques, near);
      std::vector<std::pair<uint32_t, uint32_t>> refused;
      const auto note = [&](const RefusedPair& pair) { refused.emplace_back(pair.keeper, pair.other); };
      CHECK(by(GroupBy::kComponent, note) == components);
      if (threads == 1) first_refused = refused;
      CHECK(refused == first_refused);
    }
  }
}

}  // namespace imgmill
