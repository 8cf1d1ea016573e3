// Vectors sorted into lists around centroids, so that near ones are mostly in one list or in a few.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/cosine.h"
#include "similarity/dot_queries.h"
#include "similarity/row_windows.h"

namespace imgmill {

/// The centres of lists: vectors of length 1.
class Centroids {
 public:
  /// Spherical k-means (Dhillon and Modha 2001) over a sample of rows. The same bytes whatever the threads.
  /// Memory: Bytes() from the current pool, SearchWindowBytes() mapped.
  /// @param sample  rows in ascending order, at least `lists` of them
  /// @throws OutOfMemory
  static Result<Centroids> Train(const VectorRows& rows, std::span<const uint64_t> sample, size_t lists,
                                 int threads, const StopFlag& stop);
  static size_t Bytes(size_t sample, size_t lists, int dimension, int threads);

  size_t count() const { return count_; }
  /// dots[r * count() + list] = row r's cosine with each centroid.
  void DotsWith(const float* const* rows, size_t row_count, float* dots) const {
    centres_.DotsWith(rows, row_count, 0, count_, dots);
  }

  /// The list that a row belongs to, by its dots with all centroids: of equally near ones the first.
  uint32_t ListOf(const float* dots) const;
  /// The nearest `lists.size()` lists, nearest first.
  void NearestLists(const float* dots, std::span<uint32_t> lists) const;
  /// How many lists are nearer than `list` is, which NearestLists puts at that place.
  size_t PlaceOf(uint32_t list, const float* dots) const;

 private:
  Centroids(size_t count, size_t dimension) : count_(count), centres_(count, dimension) {}

  size_t count_;
  DotQueries centres_;
};

/// Finds the list of each element (0 .. list_of.size() - 1, given in order of row), as VisitRows goes through
/// them. Memory: AssigningBytes() from the current pool.
template <typename RowOf>
Status AssignLists(const VectorRows& rows, std::span<const uint32_t> elements, const RowOf& row_of,
                   const Centroids& centroids, int threads, const StopFlag& stop,
                   std::span<uint32_t> list_of) {
  const size_t lists = centroids.count();
  PoolArray<float> dots(static_cast<size_t>(threads) * kRowsTogether * lists);
  return VisitRows(rows, elements, threads, stop, row_of,
                   [&](int thread, std::span<const uint32_t> some, const float* const* vectors) {
                     float* const own = dots.data() + static_cast<size_t>(thread) * kRowsTogether * lists;
                     centroids.DotsWith(vectors, some.size(), own);
                     for (size_t r = 0; r < some.size(); ++r)
                       list_of[some[r]] = centroids.ListOf(own + r * lists);
                   });
}
inline size_t AssigningBytes(size_t lists, int threads) {
  return static_cast<size_t>(threads) * kRowsTogether * lists * sizeof(float);
}

}  // namespace imgmill
