// The page of dedup's groups.
#pragma once

#include "found_duplicates.h"

namespace imgmill {

/// Makes the pictures by a run of the engine, then writes the page a group at a time. `result` is told of the
/// file; its counts say if the run was interrupted, and then there is no page.
Status WriteDedupPage(const std::string& file, const FoundDuplicates& found, size_t refused,
                      const CommandServices& services, CommandResult& result);

}  // namespace imgmill
