// Walks one folder in bytewise order of whole paths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "dataset/folder_names.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

/// What all walks of a listing share. Not owned; outlives them.
struct WalkRules {
  const PathFilter& filter;
  bool recursive;
  const std::unordered_set<std::string>& leave_out;  ///< canonical folders
  const StopFlag* stop = nullptr;
};

class FolderWalk {
 public:
  /// @param path       of the folder, as the user gave it.
  /// @param canonical  the same without links.
  FolderWalk(const WalkRules& rules, std::string path, std::string canonical,
             std::vector<ListProblem>& problems);

  /// The next file; `relative` is below the folder. Nothing, too, once a stop was asked for.
  std::optional<ListedFile> Next();
  const IgnoredFiles& ignored() const { return ignored_; }

 private:
  struct Level {
    FolderNames names;
    size_t next = 0;
    size_t prefix = 0;  ///< bytes of relative_ that belong to this folder
  };
  void Enter();
  /// Of members that cannot be had.
  void TellOfArchive();
  std::string FullPath() const;
  bool Stopped() const { return rules_.stop != nullptr && rules_.stop->StopRequested(); }
  /// Whether a link leads to a regular file; a dangling one becomes a problem.
  bool LinkIsFile();

  const WalkRules& rules_;
  const std::string path_;
  const std::string canonical_;
  std::vector<ListProblem>& problems_;
  std::vector<Level> levels_;
  std::string relative_;  ///< folder that is entered, with a slash at its end, or entry looked at
  IgnoredFiles ignored_;
};

}  // namespace imgmill
