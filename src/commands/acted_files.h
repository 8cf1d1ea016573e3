// The catalog's record of the files that an action on images has put into a folder, as it has one of tiles;
// and of those that it has deleted.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

/// The path by which the catalog knows the file of an action: canonical, but of a member of the archive on
/// stdin as it was given.
std::string SourceOfAction(const std::string& path);

class ActedFiles {
 public:
  /// Keeps none unless the catalog is that of an output folder: others are asked by nobody.
  /// @param command  "filter"
  /// @param folders  where the files go; empty ones are none
  ActedFiles(std::string command, const std::vector<std::string>& folders, const CommandServices& services);

  /// Of an action that was done, with its final target.
  Status Add(const FileAction& action);
  /// Of one that found its file there, as an earlier run has left it, of this image or, in a project that was
  /// copied, of the original's. One that only has the same bytes is somebody's own.
  Status AddFound(const FileAction& action);
  /// Writes down what was added.
  Status Put();

 private:
  Status AddDeleted(const std::string& path);
  /// Whether an earlier run has put a file there by this action, of whatever image.
  bool IsOnRecord(const FileAction& action) const;

  std::string command_;
  bool of_output_;
  std::vector<std::string> folders_;  ///< canonical; none where no record is kept
  Catalog& catalog_;
  std::vector<std::string> noted_;  ///< fingerprints that it is known of which folder they are
  std::vector<std::pair<WorkKey, WorkRow>> rows_;
};

}  // namespace imgmill
