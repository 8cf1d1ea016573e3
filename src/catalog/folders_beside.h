// Folders that do not lie in the output folder, which records name by their absolute paths. Where a whole
// project was moved or copied they came along, as the files in them tell.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "catalog/database.h"

namespace imgmill {

class FoldersBeside {
 public:
  /// @param recorded       where the output folder was when the records were written
  /// @param output_folder  where it is; both canonical, or ""
  Status Prepare(Database& database, const std::string& recorded, const std::string& output_folder);

  /// Where the folder is now that work of this fingerprint was written to. One outside is now where it lies
  /// to the output folder as it did, if what was written to it is there: at least half of the files of the
  /// record as they were written, and few others that are called so; and if no other output folder's record
  /// names it.
  /// @param way  absolute, or from the output folder
  Result<std::string> At(const Database& database, const std::string& fingerprint, const std::string& way);

 private:
  Result<bool> HasFilesOf(const Database& database, const std::string& fingerprint,
                          const std::string& folder);

  std::string recorded_, output_folder_;
  Statement count_, files_;
  std::map<std::pair<std::string, std::string>, std::string> known_;  ///< by fingerprint and way
};

}  // namespace imgmill
