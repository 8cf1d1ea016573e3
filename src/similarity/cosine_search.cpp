// The nearest few of all rows: every thread keeps its own best ones, which are merged at the end.
#include <cassert>

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

}  // namespace

Result<std::vector<std::vector<Neighbour>>> NearestByCosine(const VectorRows& rows,
                                                            std::span<const SearchRow> searched,
                                                            std::span<const float> queries,
                                                            std::span<const uint32_t> leave_out, size_t top,
                                                            float least, int threads, const StopFlag& stop) {
  const auto dimension = static_cast<size_t>(rows.dimension);
  const size_t count = leave_out.size();
  assert(queries.size() == count * dimension && top > 0 && threads >= 1);
  std::vector<std::vector<Neighbour>> nearest(count);
  std::vector<std::vector<std::vector<Neighbour>>> best(static_cast<size_t>(threads));
  for (size_t first = 0; first < count; first += kQueriesAtOnce) {
    const size_t some = std::min(kQueriesAtOnce, count - first);
    for (auto& own : best) {
      own.assign(some, {});
      for (auto& list : own) list.reserve(std::min(top, searched.size()));  // visits must not allocate
    }
    const float* block = queries.data() + first * dimension;
    Status visited = VisitRows(
        rows, searched, threads, stop, [](const SearchRow& row) { return row.row; },
        [&](int thread, const SearchRow& row, const float* vector) {
          float dots[kQueriesAtOnce];
          Dots(vector, block, some, dimension, dots);
          for (size_t q = 0; q < some; ++q) {
            if (!(dots[q] >= least) || row.id == leave_out[first + q]) continue;
            Keep(best[static_cast<size_t>(thread)][q], top, {row.id, std::min(dots[q], 1.0f)});
          }
        });
    if (!visited) return visited.error();
    for (size_t q = 0; q < some; ++q) {
      std::vector<Neighbour>& merged = nearest[first + q];
      for (const auto& own : best) merged.insert(merged.end(), own[q].begin(), own[q].end());
      std::sort(merged.begin(), merged.end(), Nearer);
      if (merged.size() > top) merged.resize(top);
      merged.shrink_to_fit();
    }
  }
  return nearest;
}

size_t SearchWindowBytes(int dimension, int threads) {
  const size_t window = WindowRows(dimension) * static_cast<size_t>(dimension) * sizeof(float);
  return static_cast<size_t>(threads) * (window + 8192);  // and the pages it begins and ends in
}

}  // namespace imgmill
