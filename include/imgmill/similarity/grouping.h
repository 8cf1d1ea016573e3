// Groups of near-duplicates from pairs, without chaining strangers together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imgmill/similarity/hamming.h"

namespace imgmill {

/// Members are indices into the caller's list.
struct SimilarGroup {
  uint32_t keeper = 0;
  struct Member {
    uint32_t index = 0;
    int distance = 0;  ///< to the keeper
  };
  std::vector<Member> members;  ///< without the keeper, by index
};

/// Goes through the items best first (`order` holds each item's rank, smaller is better): the best item not
/// yet in a group becomes a keeper and takes every item within the radius of it that is not taken. So each
/// member is within the radius of its keeper, never through a chain. Groups of one are left out; the result
/// is sorted by keeper index.
std::vector<SimilarGroup> GroupAroundKeepers(std::span<const HammingPair> pairs,
                                             std::span<const uint32_t> order);

}  // namespace imgmill
