// Groups of near-duplicates, each around one keeper, without chaining strangers together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/similarity/hamming.h"

namespace imgmill {

/// Members are indices into the caller's list.
struct SimilarGroup {
  uint32_t keeper = 0;
  struct Member {
    uint32_t index = 0;
    int distance = 0;  ///< to the keeper
    auto operator<=>(const Member&) const = default;
  };
  std::vector<Member> members;  ///< without the keeper, by index
  auto operator<=>(const SimilarGroup&) const = default;
};

/// Goes through the items best first (`order` holds each item's rank, smaller is better, ties go to the
/// smaller index): the best item not yet in a group becomes a keeper and takes every item within `radius` of
/// it that is not taken. So each member is within the radius of its keeper, never through a chain. Groups of
/// one are left out; the result is sorted by keeper index.
///
/// Pairs are never stored: only keepers ask for their neighbours, equal hashes are treated as one, and what
/// is taken leaves the search. A million hashes of which 100,000 are equal cost no more than a million.
/// Memory: GroupByHammingBytes() from the current pool, and 8 bytes an item in the result.
/// @param order   as long as `hashes`.
/// @param radius  0..64
/// @return kInterrupted when `stop` asked for it.
/// @throws OutOfMemory
Result<std::vector<SimilarGroup>> GroupByHamming(std::span<const uint64_t> hashes,
                                                 std::span<const uint32_t> order, int radius, int threads,
                                                 const StopFlag& stop);

/// What GroupByHamming takes from the current pool at most.
size_t GroupByHammingBytes(size_t n, int radius, int threads);

/// The same by two plain loops. Slow, obviously right: the oracle of GroupByHamming.
std::vector<SimilarGroup> GroupByHammingScalar(std::span<const uint64_t> hashes,
                                               std::span<const uint32_t> order, int radius);

}  // namespace imgmill
