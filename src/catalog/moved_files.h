// Where actions on images have moved a file that was written before: by the rows that they have left.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/database.h"
#include "catalog/folders_beside.h"
#include "imgmill/catalog/catalog.h"

namespace imgmill {

class MovedFiles {
 public:
  /// @param output_folder  that the catalog is of, canonical; or ""
  Status Prepare(Database& database, const std::string& output_folder);

  /// Where a folder is now that rows of this fingerprint name by the way to it.
  Result<std::string> FolderAt(const Database& database, const std::string& fingerprint,
                               const std::string& way) {
    return beside_.At(database, fingerprint, way);
  }
  /// As Catalog::FindMoved.
  Result<std::vector<std::string>> Find(const Database& database, const std::string& path,
                                        const std::optional<ContentDigest>& content);

 private:
  /// Where moves from `path` have put it.
  Result<std::vector<std::string>> PlacesOf(const Database& database, const std::string& path,
                                            const std::optional<ContentDigest>& content);
  /// How rows call a path: by where the output folder was when they were written.
  std::string AsRecorded(const std::string& path) const;

  std::string output_folder_, recorded_;
  FoldersBeside beside_;
  Statement moves_from_;
};

}  // namespace imgmill
