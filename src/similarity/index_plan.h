// How an index cuts hashes into parts, chosen by what a query is expected to cost.
#pragma once

#include <cstddef>
#include <vector>

namespace imgmill {

/// Disjoint parts of the bits, each with a table of its own. If two hashes differ in at most r bits, then
/// in at least one of m parts they differ in at most t bits, where the t's fulfil sum(t + 1) = r + 1: else
/// the parts alone would add up to more than r. So each table is probed at all keys within its t.
/// Source: Norouzi, Punjani and Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012;
/// unequal t's after Qin et al., "GPH: Similarity search in Hamming space", ICDE 2018.
struct IndexPlan {
  int width = 0;                ///< bits of a part; 0 is no table: a scan of everything
  std::vector<int> thresholds;  ///< one a table; without tables the radius
  double cost_ns = 0;           ///< of one query, as estimated for hashes spread evenly

  bool scans() const { return width == 0; }

  /// The cheapest plan for `n` hashes of 64 or 256 bits at `radius` 0..bits.
  static IndexPlan Choose(size_t n, int radius, int bits = 64);
  /// So many parts of that width.
  static IndexPlan Of(int width, int tables, int radius);
};

/// Number of keys of `width` bits within `threshold` flipped bits of one.
double KeysWithin(int width, int threshold);

}  // namespace imgmill
