// The catalog's tables, their version, and how a database comes to have them.
#pragma once

#include "catalog/database.h"

namespace imgmill {

/// Raised with every change of the tables that an older program could not read.
inline constexpr int64_t kSchemaVersion = 4;

/// Settings of the connection, then the tables: made in an empty database, checked in one that has some.
/// @param path  of the file, for messages; empty for a temporary database.
Status PrepareSchema(Database& database, const std::string& path);

}  // namespace imgmill
