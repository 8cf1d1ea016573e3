// The page of match: each query beside what was found for it.
#pragma once

#include "match_output.h"

namespace imgmill {

/// Makes the pictures by a run of the engine, then writes the page a query at a time. `result` is told of the
/// file; its counts say if the run was interrupted, and then there is no page.
/// @param own  a private catalog: what is looked at for the page leaves no trace in those that were searched
Status WriteMatchPage(const std::string& file, const DescribedMatches& matches,
                      const CommandServices& services, Catalog& own, CommandResult& result);

}  // namespace imgmill
