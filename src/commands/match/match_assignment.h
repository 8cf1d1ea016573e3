// Gives each query one image that no other query has: match --unique.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "imgmill/base/stop_flag.h"
#include "imgmill/dataset/record_table.h"
#include "imgmill/similarity/cosine.h"

namespace imgmill {

using NeighbourTable = RecordTable<std::vector<Neighbour>>;

/// The nearest images of these queries, a list each: at most `depth`, in NearestByCosine's order.
using NearestOf = std::function<Result<NeighbourTable>(const std::vector<uint32_t>& queries, size_t depth)>;

/// Greedy by similarity: of all pairs the most alike is taken, then the most alike of those whose query and
/// image are both free, and so on; of equally alike ones the first query's, then the first image's. So no
/// query and image that are more alike than what both have got are left apart.
///
/// Found by proposals (Gale and Shapley 1962), which come to the same where both sides rank by one order of
/// pairs, and need no list of all pairs: each query asks its nearest image, and the next one once a nearer
/// query has that. Lists are made longer only for queries that have come to the end of theirs.
/// @param depth  of the first lists
/// @return a list a query: its image, or none
Result<NeighbourTable> AssignUniquely(size_t queries, size_t images, size_t depth,
                                      const NearestOf& nearest_of, const StopFlag& stop);

/// Bytes that it holds, without the lists.
size_t AssignmentBytes(size_t queries, size_t images);

}  // namespace imgmill
