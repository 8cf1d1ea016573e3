// Files that imgmill made itself, and an action has deleted: gone on purpose is not missing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "imgmill/catalog/catalog.h"

namespace imgmill {

using WorkRows = std::vector<std::pair<WorkKey, WorkRow>>;

/// The finished work whose file was at `path`, and that of where it was before actions moved it there, with
/// rows that say that it is gone on purpose. A run that makes the file again says that it is done, as ever.
WorkRows RowsOfDeleted(Catalog& catalog, const std::string& path);

/// As RowsOfDeleted, of a file that somebody has taken away who is no step of the pipeline. What says where
/// actions of its steps have put files stays, so that these know the file again where it is put back.
WorkRows RowsOfTaken(Catalog& catalog, const std::string& path);

/// The work whose file is at `path` again, as it was written, with rows that say that it is done; likewise.
WorkRows RowsOfRestored(Catalog& catalog, const std::string& path);

}  // namespace imgmill
