// Images of a group that are one file: symbolic links and second names, which take no room of their own; and
// links that are kept, whose files must not go.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dedup_groups.h"

namespace imgmill {

/// Sets DuplicateMember::link of all members.
Status MarkLinks(const DedupTable& entries, DuplicateGroups& groups);

/// "symbolic link", "hard link", "same file"; empty for none.
std::string_view ToString(DuplicateLink link);

/// How many members of groups are links.
struct LinkCounts {
  uint64_t symbolic = 0;
  uint64_t hard = 0;  ///< with those that are one file, seen by two paths

  uint64_t all() const { return symbolic + hard; }
};
LinkCounts CountLinks(const DuplicateGroups& groups);

/// The files, and links, by way of which symbolic links lead to their images: where one goes, links to it
/// lead nowhere.
class LinkedPlaces {
 public:
  /// Of the links that stay. @param left  paths of links that are members, and on which nothing is done
  static Result<LinkedPlaces> ByKept(const DedupTable& entries, const DuplicateGroups& groups,
                                     const std::set<std::string>& left);
  /// Of all links, to images of groups.
  static Result<LinkedPlaces> InGroups(const DedupTable& entries, const DuplicateGroups& groups);

  /// The file at `path` is nothing to remember if it is no link.
  void Add(const std::string& path) { Add(path, nullptr); }
  /// Paths of links that would lead nowhere without the file at `path`, in the order in which they were
  /// added.
  std::span<const std::string> LinksTo(const std::string& path) const;
  /// kConflict, naming the link, where one that is kept leads to it.
  Status MayGo(const std::string& path) const;

 private:
  /// @param among  places that matter; null for all
  void Add(const std::string& path, const std::set<std::string>* among);

  std::map<std::string, std::vector<std::string>> links_by_place_;
};

}  // namespace imgmill
