#include "catalog/catalog_database.h"

#include "base/path_parts.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

std::string CatalogDatabase(const std::string& folder) {
  return Join(folder, "catalog.sqlite");
}

bool HoldsCatalog(const std::string& folder) {
  return Exists(CatalogDatabase(folder));
}

}  // namespace imgmill
