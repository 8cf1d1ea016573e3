// One-to-one assignment against the greedy rule as it is written down: all pairs, sorted.
#include "commands/match/match_assignment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace imgmill;

namespace {

struct Pair {
  float similarity;
  uint32_t query, image;
};

/// A matrix of similarities, a row a query; below `least` is no pair.
struct Likeness {
  size_t queries, images;
  std::vector<float> values;
  float least = 0;

  std::vector<Neighbour> Nearest(uint32_t query, size_t depth) const {
    std::vector<Neighbour> list;
    for (uint32_t image = 0; image < images; ++image) {
      const float value = values[query * images + image];
      if (value >= least) list.push_back({image, value});
    }
    std::sort(list.begin(), list.end(), [](const Neighbour& a, const Neighbour& b) {
      return a.similarity != b.similarity ? a.similarity > b.similarity : a.id < b.id;
    });
    list.resize(std::min(list.size(), depth));
    return list;
  }

  std::vector<uint32_t> Greedy() const {
    std::vector<Pair> pairs;
    for (uint32_t q = 0; q < queries; ++q) {
      for (const Neighbour& each : Nearest(q, images)) pairs.push_back({each.similarity, q, each.id});
    }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.similarity > b.similarity; });
    std::vector<uint32_t> of_query(queries, kNobody), of_image(images, kNobody);
    for (const Pair& pair : pairs) {
      if (of_query[pair.query] != kNobody || of_image[pair.image] != kNobody) continue;
      of_query[pair.query] = pair.image;
      of_image[pair.image] = pair.query;
    }
    return of_query;
  }

  std::vector<uint32_t> Assigned(size_t depth) const {
    const NearestOf nearest = [&](const std::vector<uint32_t>& wanted,
                                  size_t deep) -> Result<NeighbourTable> {
      NeighbourTable table;
      for (const uint32_t query : wanted) table.Add(Nearest(query, deep));
      return table;
    };
    Result<NeighbourTable> table = AssignUniquely(queries, images, depth, nearest, StopFlag());
    REQUIRE(table.ok());
    std::vector<uint32_t> of_query;
    REQUIRE(table
                ->ForEach([&](const std::vector<Neighbour>& list) {
                  of_query.push_back(list.empty() ? kNobody : list[0].id);
                  return Status();
                })
                .ok());
    return of_query;
  }
};

}  // namespace

TEST_CASE(
    "one-to-one assignment is greedy by similarity, however short the first lists and however many ties") {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    Likeness likeness{1 + random() % 20, 1 + random() % 20, {}};
    const auto levels = 1 + random() % 12;  // few levels: most pairs are equally alike
    for (size_t i = 0; i < likeness.queries * likeness.images; ++i)
      likeness.values.push_back(static_cast<float>(random() % levels) / 16);
    likeness.least = static_cast<float>(random() % 3) / 16;
    const std::vector<uint32_t> expected = likeness.Greedy();
    for (const size_t depth : {1, 2, 5, 100}) CHECK(likeness.Assigned(depth) == expected);
  }
}

TEST_CASE("nobody to ask for") {
  CHECK(Likeness{0, 3, {}}.Assigned(4).empty());
  CHECK(Likeness{2, 1, {-1, -1}}.Assigned(4) == std::vector<uint32_t>{kNobody, kNobody});
}
