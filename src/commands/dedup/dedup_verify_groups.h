// Groups that were found without a second look, and what one leaves of them.
#pragma once

#include <functional>
#include <vector>

#include "dedup_groups.h"

namespace imgmill {

/// The rows in groups that were found by looks, ascending: those that VerifyGroups asks about.
std::vector<uint32_t> RowsByLook(const DuplicateGroups& groups);

/// Of each group by looks, what its keeper may keep. Those that it turns away may be groups of their own,
/// around the best of them. What the look holds is leased. One thread.
/// @param distance  of two rows of the entries
/// @param most      of near ones: strangers that only a third image had brought together are not told as
/// refused
Result<DuplicateGroups> VerifyGroups(const DedupTable& entries, const GroupRules& rules,
                                     const DuplicateGroups& found, SecondLooker& looker,
                                     const std::function<Result<double>(uint32_t, uint32_t)>& distance,
                                     double most, MemoryManager& memory, const StopFlag& stop);

}  // namespace imgmill
