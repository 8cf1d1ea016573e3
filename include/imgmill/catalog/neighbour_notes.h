// Hashes that were searched among, each with one that is near it: a file in the catalog's folder, which saves
// the next run that search and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// FOLDER/near/KEY.near, KEY being made of what the hashes are. A file that is damaged, or of something else,
/// is like none; one that cannot be written costs the next run time.
class NeighbourNotes {
 public:
  /// @param folder  of the catalog; an empty one keeps no notes
  /// @param kind    what the hashes are, and how near is near
  NeighbourNotes(const std::string& folder, const std::string& kind);

  /// Whether there is anywhere to keep them.
  bool kept() const { return !path_.empty(); }
  /// Calls `see` with each hash, ascending, and one that is near it, or itself. kReadError where reading
  /// fails after some of these calls.
  Status ForEach(const std::function<void(uint64_t hash, uint64_t near)>& see) const;
  /// Replaces them. @param near  as long as `hashes`, which ascend
  Status Write(std::span<const uint64_t> hashes, std::span<const uint64_t> near) const;

 private:
  std::string path_;
  std::string kind_;
};

}  // namespace imgmill
