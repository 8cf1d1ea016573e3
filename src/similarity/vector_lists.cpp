// k-means by cosine: rows are assigned on all threads, and added up in their order on one.
#include "similarity/vector_lists.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/try.h"

namespace imgmill {
namespace {

/// After these few the lists hardly change any more, and what they are for does not need the best ones.
constexpr int kRounds = 6;

/// The nearer first, of equally near ones the first.
bool IsNearer(const float* dots, uint32_t a, uint32_t b) {
  return dots[a] != dots[b] ? dots[a] > dots[b] : a < b;
}

}  // namespace

uint32_t Centroids::ListOf(const float* dots) const {
  return static_cast<uint32_t>(std::max_element(dots, dots + count_) - dots);
}

void Centroids::NearestLists(const float* dots, std::span<uint32_t> lists) const {
  assert(lists.size() <= count_);
  // Insertion into a short sorted list: nearly all centroids are farther than its last.
  size_t filled = 0;
  for (uint32_t list = 0; list < count_; ++list) {
    if (filled == lists.size() && !IsNearer(dots, list, lists[filled - 1])) continue;
    size_t place = filled < lists.size() ? filled++ : filled - 1;
    for (; place > 0 && IsNearer(dots, list, lists[place - 1]); --place) lists[place] = lists[place - 1];
    lists[place] = list;
  }
}

size_t Centroids::PlaceOf(uint32_t list, const float* dots) const {
  size_t nearer = 0;
  for (uint32_t other = 0; other < count_; ++other) nearer += IsNearer(dots, other, list) ? 1 : 0;
  return nearer;
}

Result<Centroids> Centroids::Train(const VectorRows& rows, std::span<const uint64_t> sample, size_t lists,
                                   int threads, const StopFlag& stop) {
  assert(lists >= 1 && sample.size() >= lists);
  const auto dimension = static_cast<size_t>(rows.dimension);
  Centroids centroids(lists, dimension);
  PoolArray<uint32_t> of(sample.size());  // the list of each
  PoolArray<double> sums(lists * dimension);
  PoolArray<float> centre(dimension);
  PoolArray<uint32_t> order(sample.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto row_of = [&](uint32_t i) { return sample[i]; };

  // The first centroids are vectors of the sample, evenly apart. An empty list keeps its centroid.
  for (size_t list = 0; list < lists; ++list) {
    TRY(rows.look(sample[list * sample.size() / lists], 1,
                  [&](const float* vector) { centroids.centres_.Put(list, vector); }));
  }
  for (int round = 0; round < kRounds; ++round) {
    TRY(AssignLists(rows, order.span(), row_of, centroids, threads, stop, of.span()));
    sums.Fill(0);
    TRY(VisitRows(rows, std::span<const uint32_t>(order.span()), 1, stop, row_of,
                  [&](int, std::span<const uint32_t> some, const float* const* vectors) {
                    for (size_t r = 0; r < some.size(); ++r) {
                      double* const sum = sums.data() + of[some[r]] * dimension;
                      for (size_t d = 0; d < dimension; ++d) sum[d] += static_cast<double>(vectors[r][d]);
                    }
                  }));
    for (size_t list = 0; list < lists; ++list) {
      const double* const sum = sums.data() + list * dimension;
      const double length = std::sqrt(std::inner_product(sum, sum + dimension, sum, 0.0));
      if (!(length > 0)) continue;
      for (size_t d = 0; d < dimension; ++d) centre[d] = static_cast<float>(sum[d] / length);
      centroids.centres_.Put(list, centre.data());
    }
  }
  return centroids;
}

size_t Centroids::Bytes(size_t sample, size_t lists, int dimension, int threads) {
  const auto n = static_cast<size_t>(dimension);
  return DotQueries::Bytes(lists, n) + lists * n * sizeof(double) + n * sizeof(float) +
         sample * 2 * sizeof(uint32_t) + AssigningBytes(lists, threads);
}

}  // namespace imgmill
