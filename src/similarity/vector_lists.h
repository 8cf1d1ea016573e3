// Vectors sorted into lists around centroids, so that near ones are mostly in one list or in a few.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/cosine.h"

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
    Dots(rows, row_count, values_.data(), count_, dimension_, dots);
  }

  /// The list that a row belongs to, by its dots with all centroids: of equally near ones the first.
  uint32_t ListOf(const float* dots) const;
  /// The nearest `lists.size()` lists, nearest first.
  void NearestLists(const float* dots, std::span<uint32_t> lists) const;
  /// How many lists are nearer than `list` is, which NearestLists puts at that place.
  size_t PlaceOf(uint32_t list, const float* dots) const;

 private:
  Centroids(size_t count, size_t dimension)
      : count_(count), dimension_(dimension), values_(count * dimension) {}

  size_t count_;
  size_t dimension_;
  PoolArray<float> values_;
};

}  // namespace imgmill
