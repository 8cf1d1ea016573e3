// Opening a catalog for its upkeep, after a compaction that may have been killed.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/database.h"

namespace imgmill {

/// Puts the rewritten vector files in place whose rows the database refers to already.
Status FinishCompaction(Database& database, const std::string& folder);

/// One that is there, for its upkeep. kUsage where the folder holds none.
Status OpenCatalog(const std::string& folder, Database& database);

/// With the part that is not in the file itself yet.
uint64_t DatabaseBytes(const std::string& folder);

}  // namespace imgmill
