// Images of a group that are one file: symbolic links and second names, which take no room of their own; and
// links that are kept, whose files must not go.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

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

/// The files, and links, by way of which symbolic links that are kept lead to their images.
class LedToByKept {
 public:
  /// @param left  paths of links that are members, and on which nothing is done
  static Result<LedToByKept> Of(const DedupTable& entries, const DuplicateGroups& groups,
                                const std::set<std::string>& left);
  /// A link that would lead nowhere without the file at `path`; null if there is none.
  const std::string* LinkTo(const std::string& path) const;

 private:
  std::map<std::string, std::string> link_by_place_;
};

}  // namespace imgmill
