// The one file of a catalog's folder that makes it a catalog.
#pragma once

#include <string>

namespace imgmill {

/// The path of a catalog's database, whether it is there or not.
/// @param folder  the catalog's, such as an output folder's .imgmill
std::string CatalogDatabase(const std::string& folder);

bool HoldsCatalog(const std::string& folder);

}  // namespace imgmill
