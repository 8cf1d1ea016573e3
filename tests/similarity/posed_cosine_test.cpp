// Groups of vectors in several poses, against plain loops over all pairs and poses.
#include "imgmill/similarity/posed_cosine.h"

#include <doctest/doctest.h>

#include <numeric>
#include <random>

#include "imgmill/memory/pool.h"
#include "similarity/keeper_grouping.h"
#include "similarity/near_vectors.h"
#include "similarity/ranked.h"

namespace imgmill {
namespace {

constexpr size_t kOthers = 3;

/// Items whose other poses are, now and then, near the vector of some item.
struct Posed {
  explicit Posed(size_t n) : own(n, 48, 7), others(n * kOthers * 48), order(n), rows(n), posed_rows(n) {
    std::mt19937 random(11);
    std::iota(rows.begin(), rows.end(), uint64_t{0});
    for (size_t i = 0; i < n; ++i) {
      order[i] = static_cast<uint32_t>(random() % n);
      posed_rows[i] = n - 1 - i;  // not those of their own vectors
      for (size_t pose = 0; pose < kOthers; ++pose) {
        const size_t like = random() % n;
        float* const to = &others[(posed_rows[i] * kOthers + pose) * 48];
        std::copy_n(&own.values[like * 48], 48, to);
        if (random() % 2 == 0) std::swap(to[0], to[5]);  // of length 1 all the same
      }
    }
  }
  /// By plain loops, the better one first.
  std::optional<PosedCosine> Near(uint32_t better, uint32_t other, float least) const {
    const float* const vector = &own.values[other * 48];
    PosedCosine best = {DotScalar(&own.values[better * 48], vector, 48), 0};
    for (uint32_t pose = 1; pose <= kOthers; ++pose) {
      const float dot = DotScalar(&others[(posed_rows[better] * kOthers + pose - 1) * 48], vector, 48);
      if (dot > best.cosine) best = {dot, pose};
    }
    best.cosine = std::min(best.cosine, 1.0f);
    return best.cosine >= least ? std::optional(best) : std::nullopt;
  }
  std::vector<PosedCosineGroup> Group(float least, int threads, const PairRule& rule, GroupBy by) const {
    const PosedRows posed{kOthers, [this](uint64_t first, uint64_t, const auto& see) -> Status {
                            see(&others[first * kOthers * 48]);
                            return {};
                          }};
    PosedKeys keys{Ranked(rows, order), PoolArray<uint64_t>(posed_rows.size())};
    std::copy(posed_rows.begin(), posed_rows.end(), keys.posed.begin());
    const VectorRows of_own = own.rows();
    auto groups = GroupByPosedCosine(of_own, posed, std::move(keys), least, threads, StopFlag(), rule, by);
    REQUIRE(groups);
    return *std::move(groups);
  }
  Vectors own;
  std::vector<float> others;
  std::vector<uint32_t> order;
  std::vector<uint64_t> rows, posed_rows;
};

}  // namespace

TEST_CASE("keepers in several poses take what is near one of them, and the nearest is told") {
  const Posed items(900);
  const PairRule rules[] = {{}, [](uint32_t a, uint32_t b) { return a % 5 == b % 5; }};
  for (const float least : {0.7f, 0.95f}) {
    for (const PairRule& rule : rules) {
      const auto expected = GroupByPlainLoops<PosedCosine>(
          items.order, [&](uint32_t keeper, uint32_t other) -> std::optional<PosedCosine> {
            if (rule && !rule(keeper, other)) return std::nullopt;
            return items.Near(keeper, other, least);
          });
      size_t posed = 0;
      for (const auto& group : expected)
        posed += static_cast<size_t>(
            std::ranges::count_if(group.members, [](const auto& m) { return m.measure.pose > 0; }));
      CHECK(posed > 50);
      for (const int threads : {1, 4}) {
        CAPTURE(threads);
        CAPTURE(least);
        CHECK(items.Group(least, threads, rule, GroupBy::kKeeper) == expected);
      }
    }
  }
}

TEST_CASE("in cliques and components of poses the better one of two is the keeper") {
  const Posed items(300);
  const float least = 0.9f;
  const auto near = [&](uint32_t a, uint32_t b) {
    const bool in_order = items.order[a] != items.order[b] ? items.order[a] < items.order[b] : a < b;
    return in_order ? items.Near(a, b, least) : items.Near(b, a, least);
  };
  for (const int threads : {1, 3}) {
    const auto cliques = items.Group(least, threads, {}, GroupBy::kClique);
    CHECK(cliques.size() > 20);
    for (const auto& group : cliques) {
      for (const auto& member : group.members) {
        CHECK(near(group.keeper, member.index) == std::optional(member.measure));
        for (const auto& other : group.members)
          CHECK((other.index == member.index || near(other.index, member.index).has_value()));
      }
    }
    // Which items hang together, by plain loops.
    std::vector<uint32_t> tree(items.order.size());
    std::iota(tree.begin(), tree.end(), uint32_t{0});
    for (uint32_t a = 0; a < tree.size(); ++a) {
      for (uint32_t b = 0; b < a; ++b) {
        if (tree[a] != tree[b] && near(a, b))
          std::replace(tree.begin(), tree.end(), uint32_t{tree[a]}, tree[b]);
      }
    }
    size_t joined = 0;
    for (const auto& group : items.Group(least, threads, {}, GroupBy::kComponent)) {
      joined += group.members.size();
      for (const auto& member : group.members) {
        CHECK(tree[member.index] == tree[group.keeper]);
        const uint32_t via = member.via == group.kKeeper ? group.keeper : member.via;
        CHECK(near(via, member.index) == std::optional(member.measure));
      }
    }
    std::sort(tree.begin(), tree.end());
    const auto trees = static_cast<size_t>(std::unique(tree.begin(), tree.end()) - tree.begin());
    CHECK(joined == items.order.size() - trees);
  }
}

TEST_CASE("grouping in poses keeps to the memory that it says") {
  const Posed items(900);
  for (const GroupBy by : {GroupBy::kKeeper, GroupBy::kClique, GroupBy::kComponent}) {
    HostPool().ResetPeak();
    const size_t before = HostPool().Stats().charged;
    items.Group(0.9f, 3, {}, by);
    // Half again: pages and freed runs of the pool.
    CHECK(HostPool().Stats().peak_charged - before <=
          GroupByPosedCosineBytes(900, kOthers, 48, 3, by) * 3 / 2);
  }
}

}  // namespace imgmill
