// Cosine search and grouping: searches against sorting everything.
#include "imgmill/similarity/cosine.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <random>

#include "imgmill/similarity/grouping.h"
#include "similarity/keeper_grouping.h"
#include "similarity/near_vectors.h"
#include "similarity/ranked.h"

using namespace imgmill;

TEST_CASE("the nearest are those that sorting all similarities gives, ties by id, on any number of threads") {
  const Vectors vectors(3000, 20, 2);
  std::vector<SearchRow> searched;
  for (uint32_t i = 0; i < vectors.count(); ++i) {
    if (i % 5 != 0)
      searched.push_back({i, 10'000 - i});  // ids in another order than rows; some rows left out
  }
  const StopFlag stop;
  const size_t count = 300;  // more than one block of queries
  const std::span<const float> queries(vectors.values.data(), count * 20);
  std::vector<uint32_t> leave_out(count, kNobody);
  leave_out[1] = 10'000 - 1;
  for (const int threads : {1, 2, 4}) {
    const auto nearest =
        NearestByCosine(vectors.rows(), searched, queries, leave_out, 6, 0.2f, threads, stop);
    REQUIRE(nearest.ok());
    for (size_t q = 0; q < count; ++q) {
      std::vector<std::pair<float, uint32_t>> all;  // less similarity, id
      for (const SearchRow& row : searched) {
        const float dot = DotScalar(&vectors.values[row.row * 20], &queries[q * 20], 20);
        if (dot >= 0.2f && row.id != leave_out[q]) all.emplace_back(-std::min(dot, 1.0f), row.id);
      }
      std::sort(all.begin(), all.end());
      all.resize(std::min<size_t>(all.size(), 6));
      REQUIRE((*nearest)[q].size() == all.size());
      for (size_t i = 0; i < all.size(); ++i) {
        CHECK((*nearest)[q][i].id == all[i].second);
        CHECK((*nearest)[q][i].similarity == -all[i].first);
      }
    }
  }
}

TEST_CASE("a row that is not whole is asked about once, not found, and in nobody's way") {
  const Vectors vectors(500, 20, 7);
  std::vector<SearchRow> searched, whole;
  std::vector<float> damaged = vectors.values;
  for (uint32_t i = 0; i < vectors.count(); ++i) {
    searched.push_back({i, i, i % 3});
    if (i % 3 != 1) whole.push_back({i, i, i % 3});
    for (size_t d = 0; d < 20 && i % 3 == 1; ++d) damaged[i * 20 + d] = i % 2 == 0 ? NAN : 1e30f;
  }
  const VectorRows rows{20, [&](uint64_t first, uint64_t, const auto& see) {
                          see(&damaged[first * 20]);
                          return Status();
                        }};
  const std::span<const float> queries(vectors.values.data(), 40 * 20);
  const std::vector<uint32_t> nobody(40, kNobody);
  for (const int threads : {1, 3}) {
    std::vector<std::atomic<int>> asked(vectors.count());
    const IsWholeRow is_whole = [&](const SearchRow& row, const float* vector) {
      ++asked[row.id];
      CHECK(vector == &damaged[row.row * 20]);
      return row.checksum != 1;
    };
    const auto found = NearestByCosine(rows, searched, queries, nobody, 9, -1, threads, StopFlag(), is_whole);
    const auto expected = NearestByCosine(vectors.rows(), whole, queries, nobody, 9, -1, 1, StopFlag());
    REQUIRE(found.ok());
    REQUIRE(expected.ok());
    for (size_t q = 0; q < 40; ++q) {
      REQUIRE((*found)[q].size() == 9);
      for (size_t i = 0; i < 9; ++i) {
        CHECK((*found)[q][i].id == (*expected)[q][i].id);
        CHECK((*found)[q][i].similarity == (*expected)[q][i].similarity);
      }
    }
    CHECK(std::all_of(asked.begin(), asked.end(), [](const auto& times) { return times == 1; }));
  }
}

TEST_CASE("groups by cosine are those of two plain loops") {
  for (const unsigned seed : {3u, 4u, 5u}) {
    const Vectors vectors(700, 12, seed);
    std::vector<uint32_t> order(vectors.count());
    std::mt19937 random(seed);
    for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % 50);  // many ties
    std::vector<uint64_t> row_of(vectors.count());
    for (size_t i = 0; i < row_of.size(); ++i) row_of[i] = i;
    for (const float least : {0.3f, 0.8f, 0.99f}) {
      const auto expected = GroupByCosineScalar(vectors.values, 12, order, least);
      CHECK_FALSE(expected.empty());
      for (const int threads : {1, 3}) {
        const auto groups = GroupByCosine(vectors.rows(), Ranked(row_of, order), least, threads, StopFlag());
        REQUIRE(groups.ok());
        CHECK(*groups == expected);
      }
    }
  }
}

TEST_CASE("groups by cosine with a rule for pairs are two plain loops with it, equal rows among them") {
  const Vectors vectors(300, 12, 9);
  std::vector<uint64_t> row_of;
  for (uint64_t i = 0; i < 600; ++i) row_of.push_back(i / 2);
  std::vector<uint32_t> order(row_of.size());
  std::mt19937 random(9);
  for (uint32_t& rank : order) rank = static_cast<uint32_t>(random() % 50);
  const PairRule rule = [](uint32_t keeper, uint32_t other) { return keeper % 5 < 2 && other % 5 >= 2; };
  const auto expected =
      GroupByPlainLoops<float>(order, [&](uint32_t keeper, uint32_t other) -> std::optional<float> {
        const float dot =
            DotScalar(&vectors.values[row_of[keeper] * 12], &vectors.values[row_of[other] * 12], 12);
        return dot >= 0.8f && rule(keeper, other) ? std::optional(std::min(dot, 1.0f)) : std::nullopt;
      });
  CHECK_FALSE(expected.empty());
  for (const int threads : {1, 3}) {
    const auto groups = GroupByCosine(vectors.rows(), Ranked(row_of, order), 0.8f, threads, StopFlag(), rule);
    REQUIRE(groups.ok());
    CHECK(*groups == expected);
  }
}

TEST_CASE("100,000 items of one row are one group, and an item has more hits than are held") {
  // By hand: all vectors equal, so the best ranked item keeps all others.
  const size_t n = 100'000;
  const float one[] = {1, 0};
  std::vector<float> values;
  for (size_t i = 0; i < n; ++i) values.insert(values.end(), one, one + 2);
  const VectorRows rows{2, [&](uint64_t first, uint64_t, const auto& see) -> Status {
                          see(&values[first * 2]);
                          return {};
                        }};
  std::vector<uint32_t> order(n, 1);
  order[777] = 0;
  for (const bool same_row : {true, false}) {
    std::vector<uint64_t> row_of(n, 5);
    for (size_t i = 0; i < n && !same_row; ++i) row_of[i] = i;
    const auto groups = GroupByCosine(rows, Ranked(row_of, order), 0.9f, 2, StopFlag());
    REQUIRE(groups.ok());
    REQUIRE(groups->size() == 1);
    CHECK((*groups)[0].keeper == 777);
    CHECK((*groups)[0].members.size() == n - 1);
    CHECK((*groups)[0].members.front().measure == 1.0f);
  }
}

TEST_CASE("a search that is stopped, or whose rows cannot be seen, says so") {
  const Vectors vectors(10, 4, 1);
  std::vector<SearchRow> searched = {{0, 0}, {1, 1}};
  const std::vector<uint32_t> nobody = {kNobody};
  const std::span<const float> query(vectors.values.data(), 4);
  StopFlag stop;
  const VectorRows broken{4, [](uint64_t, uint64_t, const auto&) -> Status {
                            return Error{Stage::kCatalog, Code::kReadError, "gone"};
                          }};
  const auto failed = NearestByCosine(broken, searched, query, nobody, 1, -1, 2, stop);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().message == "gone");
  stop.RequestStop();
  const auto stopped = NearestByCosine(vectors.rows(), searched, query, nobody, 1, -1, 1, stop);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == Code::kInterrupted);
}
