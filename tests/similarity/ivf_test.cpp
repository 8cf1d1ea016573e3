// Grouping by lists around centroids: against plain loops over the same lists, and against the exact groups.
#include <doctest/doctest.h>

#include <numeric>
#include <set>

#include "imgmill/memory/pool.h"
#include "imgmill/similarity/ivf_grouping.h"
#include "similarity/keeper_grouping.h"
#include "similarity/near_vectors.h"
#include "similarity/ranked.h"
#include "similarity/vector_lists.h"

namespace imgmill {
namespace {

std::vector<uint64_t> RowsInOrder(size_t n) {
  std::vector<uint64_t> rows(n);
  std::iota(rows.begin(), rows.end(), uint64_t{0});
  return rows;
}

std::vector<uint32_t> Ranks(size_t n, unsigned seed) {
  std::vector<uint32_t> order(n);
  std::mt19937 random(seed);
  for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % (n / 3 + 1));
  return order;
}

std::vector<CosineGroup> Group(const Vectors& vectors, std::span<const uint64_t> row_of,
                               std::span<const uint32_t> order, float least, int threads, IvfReport& report,
                               const PairRule& rule = {}) {
  auto groups = GroupByIvf(vectors.rows(), Ranked(row_of, order), least, threads, StopFlag(), rule, report);
  REQUIRE(groups.ok());
  return *std::move(groups);
}

/// Which lists a row asks, and in which it lies: by sorting the cosines with all centroids. Rows are classes
/// of their own, and the sample is all of them.
struct PlainLists {
  PlainLists(const Vectors& vectors, const IvfReport& report) {
    const auto rows = RowsInOrder(vectors.count());
    const auto centroids = Centroids::Train(vectors.rows(), rows, report.lists, 1, StopFlag());
    REQUIRE(centroids.ok());
    std::vector<float> dots(report.lists);
    for (size_t i = 0; i < vectors.count(); ++i) {
      const float* const row = &vectors.values[i * static_cast<size_t>(vectors.dimension)];
      centroids->DotsWith(&row, 1, dots.data());
      std::vector<uint32_t> lists(report.lists);
      std::iota(lists.begin(), lists.end(), 0u);
      std::stable_sort(lists.begin(), lists.end(), [&](uint32_t a, uint32_t b) { return dots[a] > dots[b]; });
      list_of.push_back(lists.front());
      asked.emplace_back(lists.begin(), lists.begin() + static_cast<std::ptrdiff_t>(report.probes));
    }
  }
  std::vector<uint32_t> list_of;
  std::vector<std::set<uint32_t>> asked;
};

TEST_CASE("a keeper has what lies in the lists that it asks, as two plain loops find it") {
  for (const unsigned seed : {1u, 2u}) {
    const Vectors vectors(900, 12, seed);
    const auto order = Ranks(vectors.count(), seed);
    for (const float least : {0.5f, 0.9f}) {
      for (const bool ruled : {false, true}) {
        const PairRule rule = [](uint32_t keeper, uint32_t other) { return keeper % 3 != other % 3; };
        IvfReport report;
        const auto groups =
            Group(vectors, RowsInOrder(vectors.count()), order, least, 1, report, ruled ? rule : PairRule());
        CHECK(report.lists == 60);  // twice the root of 900
        REQUIRE(report.probes >= 8);
        REQUIRE(report.probes < report.lists);
        const PlainLists lists(vectors, report);
        const auto expected =
            GroupByPlainLoops<float>(order, [&](uint32_t keeper, uint32_t other) -> std::optional<float> {
              const float dot = DotScalar(&vectors.values[keeper * 12], &vectors.values[other * 12], 12);
              const bool found = lists.asked[keeper].contains(lists.list_of[other]);
              return dot >= least && found && (!ruled || rule(keeper, other))
                         ? std::optional(std::min(dot, 1.0f))
                         : std::nullopt;
            });
        CHECK_FALSE(expected.empty());
        CHECK(groups == expected);
        IvfReport again;
        CHECK(Group(vectors, RowsInOrder(vectors.count()), order, least, 3, again,
                    ruled ? rule : PairRule()) == expected);
      }
    }
  }
}

TEST_CASE("where every list is asked, the groups are the exact ones, and so with equal rows") {
  const Vectors vectors(16, 5, 4);  // 8 lists
  std::vector<uint64_t> row_of = RowsInOrder(16);
  for (uint64_t row = 0; row < 16; row += 3) row_of.push_back(row);
  const auto order = Ranks(row_of.size(), 3);
  IvfReport report;
  const auto groups = Group(vectors, row_of, order, 0.6f, 2, report);
  CHECK(report.probes == report.lists);
  CHECK(report.recall() == 1);
  const auto exact = GroupByCosine(vectors.rows(), Ranked(row_of, order), 0.6f, 2, StopFlag());
  REQUIRE(exact.ok());
  CHECK_FALSE(exact->empty());
  CHECK(groups == *exact);
}

TEST_CASE("of 20,000 vectors nearly all near pairs are found, by blocks that do not depend on the threads") {
  const Vectors vectors(20'000, 24, 6);
  const auto row_of = RowsInOrder(vectors.count());
  const auto order = Ranks(vectors.count(), 6);
  IvfReport report;
  HostPool().ResetPeak();
  const size_t before = HostPool().Stats().charged;
  const auto groups = Group(vectors, row_of, order, 0.95f, 1, report);
  CHECK(HostPool().Stats().peak_charged - before <= GroupByIvfBytes(vectors.count(), 24, 1) * 5 / 4);
  IvfReport again;
  CHECK(Group(vectors, row_of, order, 0.95f, 4, again) == groups);
  CHECK(again.probes == report.probes);
  CHECK(again.found == report.found);

  CHECK(report.sample == 256);
  CHECK(report.pairs > 50);
  CHECK(report.recall() >= 0.99);
  const auto exact = GroupByCosine(vectors.rows(), Ranked(row_of, order), 0.95f, 2, StopFlag());
  REQUIRE(exact.ok());
  const auto members = [](const std::vector<CosineGroup>& all) {
    size_t count = 0;
    for (const CosineGroup& group : all) count += group.members.size();
    return count;
  };
  CHECK(members(groups) <= members(*exact));
  CHECK(members(groups) >= members(*exact) * 98 / 100);
}

TEST_CASE("a candidate with more hits than are held asks again, with equal results") {
  Vectors vectors(3'000, 8, 7);  // 2,400 of them near one another
  for (size_t i = 0; i < vectors.count(); ++i) {
    if (i % 5 == 0) continue;
    float* const row = &vectors.values[i * 8];
    std::fill_n(row, 8, 0.0f);
    row[0] = 1;
    row[1 + i % 7] = 1e-4f * static_cast<float>(i % 97);
  }
  const auto row_of = RowsInOrder(vectors.count());
  const auto order = Ranks(vectors.count(), 7);
  IvfReport one, four;
  const auto groups = Group(vectors, row_of, order, 0.9f, 1, one);
  CHECK(Group(vectors, row_of, order, 0.9f, 4, four) == groups);
  size_t most = 0;
  for (const CosineGroup& group : groups) most = std::max(most, group.members.size());
  CHECK(most > 1'000);
}

TEST_CASE("nothing, one vector, and vectors of which none are near") {
  const Vectors vectors(9, 4, 1);
  IvfReport report;
  CHECK(Group(vectors, {}, {}, 0.5f, 2, report).empty());
  const std::vector<uint64_t> one_row = {3};
  const std::vector<uint32_t> one_rank = {0};
  CHECK(Group(vectors, one_row, one_rank, 0.5f, 2, report).empty());
  CHECK(report.pairs == 0);
  CHECK(report.recall() == 1);
}

TEST_CASE("lists that are stopped, or whose rows cannot be seen, say so") {
  const Vectors vectors(50, 4, 1);
  const auto rows = RowsInOrder(50);
  const auto order = Ranks(50, 1);
  IvfReport report;
  StopFlag stop;
  const VectorRows broken{4, [](uint64_t, uint64_t, const auto&) -> Status {
                            return Error{Stage::kCatalog, Code::kReadError, "gone"};
                          }};
  const auto failed = GroupByIvf(broken, Ranked(rows, order), 0.5f, 2, stop, {}, report);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().message == "gone");
  stop.RequestStop();
  const auto stopped = GroupByIvf(vectors.rows(), Ranked(rows, order), 0.5f, 2, stop, {}, report);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == Code::kInterrupted);
}

}  // namespace
}  // namespace imgmill
