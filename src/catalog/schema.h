// The catalog's tables, their version, and how a database comes to have them.
#pragma once

#include "catalog/database.h"

namespace imgmill {

/// Raised with every change of the tables that an older program could not read.
inline constexpr int64_t kSchemaVersion = 4;

/// The version of a database's tables, 0 of an empty one; changes nothing. kMalformed where it is another
/// program's, kUnsupported where a newer one of ours wrote it.
/// @param path  as below
Result<int64_t> CheckSchema(Database& database, const std::string& path);

/// Settings of the connection, then the tables: made in an empty database, checked in one that has some.
/// @param path  of the file, for messages; empty for a temporary database.
Status PrepareSchema(Database& database, const std::string& path);

}  // namespace imgmill
