// The act phase of dedup: duplicates moved, linked or deleted through the journal, so that it can be taken
// back.
#pragma once

#include <span>
#include <vector>

#include "dedup_groups.h"
#include "imgmill/commands/dedup.h"

namespace imgmill {

/// Does options.action to every duplicate; keepers are never touched. The undo file is on disk before the
/// first file is. What could not be done is in result.failed, what was done in result.details["actions"].
Status ActOnDuplicates(const DedupOptions& options, std::span<const DedupEntry> entries,
                       std::span<const DuplicateGroup> groups, const CommandServices& services,
                       CommandResult& result);

}  // namespace imgmill
