// Groups of near vectors where an item may be like another one's pose: turned or mirrored.
#pragma once

#include "imgmill/similarity/grouping.h"

namespace imgmill {

/// Of an item: that in which it is, and others.
inline constexpr size_t kMostPoses = 8;

/// How near an item is to its keeper, in the pose of the keeper in which that is nearest.
struct PosedCosine {
  float cosine = 0;   ///< at most 1
  uint32_t pose = 0;  ///< 0: as it is; else the place among the others, from 1
  auto operator<=>(const PosedCosine&) const = default;
};
using PosedCosineGroup = KeeperGroup<PosedCosine>;

/// Where vectors of the other poses are: in a row those of one item, one behind the other.
struct PosedRows {
  size_t others = 0;
  LookAtRows look;
};

struct PosedKeys {
  RankedKeys own;             ///< the keys are rows of the vectors of what the items are like
  PoolArray<uint64_t> posed;  ///< of each item: its row of PosedRows
};

/// As GroupByCosine, but that the cosine of a keeper and another item is the largest of those of the keeper's
/// poses with the other's own vector; of equal ones the first pose's. Of any two items the better one is the
/// keeper. Takes as many times the comparisons as there are poses.
/// Memory: GroupByPosedCosineBytes() from the current pool, SearchWindowBytes() and a row of poses mapped.
Result<std::vector<PosedCosineGroup>> GroupByPosedCosine(const VectorRows& rows, const PosedRows& posed,
                                                         PosedKeys items, float least, int threads,
                                                         const StopFlag& stop, const PairRule& allows = {},
                                                         GroupBy by = GroupBy::kKeeper);

/// What GroupByPosedCosine takes from the current pool at most, its input included.
size_t GroupByPosedCosineBytes(size_t n, size_t others, int dimension, int threads,
                               GroupBy by = GroupBy::kKeeper);

}  // namespace imgmill
