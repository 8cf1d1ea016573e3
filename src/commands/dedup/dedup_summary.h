// What dedup says of what it has found.
#pragma once

#include "dedup_groups.h"
#include "found_duplicates.h"
#include "imgmill/commands/command.h"
#include "imgmill/commands/dedup.h"

namespace imgmill {

/// Fills in the document, the text and the last line, and marks duplicates as dropped.
Status DescribeFound(const DedupOptions& options, const FoundDuplicates& found,
                     const CommandServices& services, CommandResult& result);

/// Adds the index by lists, and a warning where it misses too many near pairs.
void DescribeIndex(const IvfReport& ivf, const CommandServices& services, CommandResult& result);

}  // namespace imgmill
