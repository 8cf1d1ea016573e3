// What dedup does to the duplicates that it has found.
#pragma once

#include "commands/acted_places.h"
#include "dedup_partners.h"
#include "found_duplicates.h"

namespace imgmill {

/// One action a duplicate, by options.action, which is not "report"; keepers are never touched, and neither
/// is a file that a link leads to which is kept.
/// @param partners  null where images have none
/// @param places    told of what goes, and of what went
Status ActOnDuplicates(const DedupOptions& options, const FoundDuplicates& found, DedupPartners* partners,
                       const CommandServices& services, CommandResult& result, ActedPlaces& places);

}  // namespace imgmill
