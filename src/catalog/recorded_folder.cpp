#include "catalog/recorded_folder.h"

#include <optional>

#include "base/path_parts.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr std::string_view kCatalogName = ".imgmill";

}  // namespace

std::string OutputFolderOfCatalog(const std::string& catalog_folder) {
  if (NameOf(catalog_folder) != kCatalogName) return {};
  return Canonical(ParentOf(catalog_folder)).value_or("");
}

std::string WayTo(const std::string& folder, const std::string& catalog_folder) {
  const std::string absolute = CanonicalOrEntry(folder);
  const std::string output = OutputFolderOfCatalog(catalog_folder);
  if (output.empty()) return absolute;
  if (absolute == output) return ".";
  const std::string begin = Join(output, "");
  return absolute.starts_with(begin) ? absolute.substr(begin.size()) : absolute;
}

std::string AtEndOf(const std::string& way, const std::string& output_folder) {
  if (way == ".") return output_folder;
  return way.starts_with('/') ? way : Join(output_folder, way);
}

}  // namespace imgmill
