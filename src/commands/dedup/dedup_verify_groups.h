// Groups that were found without a second look, and what one leaves of them.
#pragma once

#include <functional>
#include <vector>

#include "dedup_groups.h"

namespace imgmill {

/// The rows in groups that were found by looks, ascending: those that VerifyGroups asks about.
std::vector<uint32_t> RowsByLook(const DuplicateGroups& groups);

/// How far one is from another that is in some pose.
struct PosedDistance {
  double distance = 0;
  int pose = 0;  ///< PixelOfPose
};
/// Of two rows of the entries, the first of which is the keeper: in each pose that counts, the nearest first.
using DistancesOf = std::function<Result<std::vector<PosedDistance>>(uint32_t keeper, uint32_t other)>;

/// Of each group by looks, what its keeper may keep. Those that it turns away may be groups of their own,
/// around the best of them. What the look holds is leased. One thread.
/// A pair is laid upon each other in its nearest pose, and, as long as that does not show that they are
/// alike, in those after it that are near.
/// @param most  of near ones: strangers that only a third image had brought together are not told as refused
Result<DuplicateGroups> VerifyGroups(const DedupTable& entries, const GroupRules& rules,
                                     const DuplicateGroups& found, SecondLooker& looker,
                                     const DistancesOf& distances, double most, MemoryManager& memory,
                                     const StopFlag& stop);

}  // namespace imgmill
