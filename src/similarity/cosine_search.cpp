// The nearest few of all rows: every thread keeps its own best ones, which are merged at the end.
#include <cassert>

#include "similarity/dot_queries.h"
#include "similarity/row_windows.h"

namespace imgmill {
namespace {

constexpr size_t kQueriesAtOnce = 256;  // 512 KiB of 512-float vectors: what a core's cache holds

/// The order of results. Total, so that it does not depend on who found what first.
bool Nearer(const Neighbour& a, const Neighbour& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.id < b.id;
}

/// The best `top` seen so far; a heap with the worst in front.
void Keep(std::vector<Neighbour>& best, size_t top, const Neighbour& found) {
  if (best.size() == top) {
    if (!Nearer(found, best.front())) return;
    std::pop_heap(best.begin(), best.end(), Nearer);
    best.pop_back();
  }
  best.push_back(found);
  std::push_heap(best.begin(), best.end(), Nearer);
}

/// What one thread has found for each query, and what a row must have to be added.
struct ThreadsBest {
  std::vector<std::vector<Neighbour>> lists;
  std::vector<float> least;
};

constexpr size_t kLooked = 16;

/// Whether none of so many dots is large enough, as most are not: without a branch for each.
bool NoneOf(const float* dots, const float* least) {
  int enough = 0;
  for (size_t i = 0; i < kLooked; ++i) enough |= static_cast<int>(dots[i] >= least[i]);
  return enough == 0;
}

/// @param dots  of each row with each query, whose number is leave_out's
void KeepNearest(std::span<const SearchRow> rows, const float* dots, std::span<const uint32_t> leave_out,
                 size_t top, float least, ThreadsBest& best) {
  const size_t queries = leave_out.size();
  for (const SearchRow& row : rows) {
    for (size_t q = 0; q < queries; ++q) {
      if (q % kLooked == 0 && q + kLooked <= queries && NoneOf(dots + q, &best.least[q])) {
        q += kLooked - 1;
        continue;
      }
      const float dot = dots[q];
      if (!(dot >= best.least[q]) || row.id == leave_out[q]) continue;
      Keep(best.lists[q], top, {row.id, std::min(dot, 1.0f)});
      if (best.lists[q].size() == top) best.least[q] = std::max(least, best.lists[q].front().similarity);
    }
    dots += queries;
  }
}

}  // namespace

Result<std::vector<std::vector<Neighbour>>> NearestByCosine(const VectorRows& rows,
                                                            std::span<const SearchRow> searched,
                                                            std::span<const float> queries,
                                                            std::span<const uint32_t> leave_out, size_t top,
                                                            float least, int threads, const StopFlag& stop,
                                                            const IsWholeRow& is_whole) {
  const auto dimension = static_cast<size_t>(rows.dimension);
  const size_t count = leave_out.size();
  assert(queries.size() == count * dimension && top > 0 && threads >= 1);
  std::vector<std::vector<Neighbour>> nearest(count);
  std::vector<ThreadsBest> best(static_cast<size_t>(threads));
  DotQueries block(std::min(kQueriesAtOnce, count), dimension);
  for (size_t first = 0; first < count; first += kQueriesAtOnce) {
    const size_t some = std::min(kQueriesAtOnce, count - first);
    for (ThreadsBest& own : best) {
      own.least.assign(some, least);
      own.lists.assign(some, {});
      for (auto& list : own.lists) list.reserve(std::min(top, searched.size()));  // visits must not allocate
    }
    for (size_t q = 0; q < some; ++q) block.Put(q, queries.data() + (first + q) * dimension);
    Status visited = VisitRows(
        rows, searched, threads, stop, [](const SearchRow& row) { return row.row; },
        [&](int thread, std::span<const SearchRow> together, const float* const* vectors) {
          SearchRow rows_here[kRowsTogether];
          const float* whole[kRowsTogether];
          size_t count_here = 0;
          for (size_t r = 0; r < together.size(); ++r) {
            if (is_whole && !is_whole(together[r], vectors[r])) continue;
            rows_here[count_here] = together[r];
            whole[count_here++] = vectors[r];
          }
          float dots[kRowsTogether * kQueriesAtOnce];
          block.DotsWith(whole, count_here, 0, some, dots);
          KeepNearest({rows_here, count_here}, dots, leave_out.subspan(first, some), top, least,
                      best[static_cast<size_t>(thread)]);
        });
    if (!visited) return visited.error();
    for (size_t q = 0; q < some; ++q) {
      std::vector<Neighbour>& merged = nearest[first + q];
      for (const ThreadsBest& own : best)
        merged.insert(merged.end(), own.lists[q].begin(), own.lists[q].end());
      std::sort(merged.begin(), merged.end(), Nearer);
      if (merged.size() > top) merged.resize(top);
      merged.shrink_to_fit();
    }
  }
  return nearest;
}

size_t SearchQueryBytes(size_t queries, int dimension) {
  return DotQueries::Bytes(std::min(kQueriesAtOnce, queries), static_cast<size_t>(dimension));
}

size_t SearchWindowBytes(int dimension, int threads) {
  const size_t window = WindowRows(dimension) * static_cast<size_t>(dimension) * sizeof(float);
  return static_cast<size_t>(threads) * (window + 8192);  // and the pages it begins and ends in
}

}  // namespace imgmill
