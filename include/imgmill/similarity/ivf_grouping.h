// Groups of near vectors without comparing every pair: an inverted file of lists around centroids.
#pragma once

#include "imgmill/similarity/grouping.h"

namespace imgmill {

/// How the lists were made and searched, and how many of the pairs that exist are found so. The pairs are
/// those of a sample of the vectors, each with its nearest others by an exact search.
struct IvfReport {
  size_t lists = 0;
  size_t probes = 0;  ///< lists that each keeper looks into
  size_t sample = 0;  ///< vectors
  size_t pairs = 0;   ///< of the sample, at least `least` near; at most 64 a vector
  size_t found = 0;   ///< of these
  static constexpr double kWantedRecall = 0.99;
  /// 0 to 1; 1 where there are no pairs.
  double recall() const { return pairs > 0 ? static_cast<double>(found) / static_cast<double>(pairs) : 1; }
};

/// GroupByCosine's groups, but that a keeper finds only what lies in the lists whose centroids are nearest to
/// it (an inverted file: Sivic and Zisserman 2003; Jegou, Douze and Schmid 2011). What it finds is as near as
/// it says, to the bit; what it misses stays in no group, or in another keeper's. So many lists are looked
/// into that at least 99 of 100 pairs of the sample are found, but no more than 128.
///
/// The groups depend on the vectors and their order alone, not on threads or memory. The vectors are copied
/// into a temporary file, list by list. Memory: GroupByIvfBytes() from the current pool, SearchWindowBytes()
/// mapped, and 12 bytes an item in the result.
/// @param items  the keys are rows.
/// @return kInterrupted when `stop` asked for it; what `rows` or the temporary file complained about.
/// @throws OutOfMemory
Result<std::vector<CosineGroup>> GroupByIvf(const VectorRows& rows, RankedKeys items, float least,
                                            int threads, const StopFlag& stop, const PairRule& allows,
                                            IvfReport& report, GroupBy by = GroupBy::kKeeper);

/// What GroupByIvf takes from the current pool at most, its input included.
size_t GroupByIvfBytes(size_t n, int dimension, int threads, GroupBy by = GroupBy::kKeeper);

}  // namespace imgmill
