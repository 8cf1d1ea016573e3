// The file that a page of groups exports: which images stay, which go, and what each was when it was shown.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "imgmill/dataset/file_identity.h"

namespace imgmill {

/// One file as it was shown.
struct DecidedFile {
  std::string path;   ///< relative to the decisions' folder, or absolute
  std::string below;  ///< where it goes below the folder of a move
  FileStamp stamp;
  ContentDigest content;

  /// All but the path, as the page keeps it. Numbers are texts: JavaScript rounds those above 2^53.
  nlohmann::ordered_json Identity() const;

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.path), each(self.below), each(self.stamp), each(self.content);
  }
};

struct DecidedGroup {
  DecidedFile keep;
  std::vector<DecidedFile> duplicates;
};

/// Reads a group at a time; of a file of any length no more than one is in memory. Paths come out absolute.
/// @return kNotFound, kPermission or kReadError where it cannot be read; kMalformed where it is something
/// else. The messages do not name the file.
Status ReadDecisions(const std::string& path, const std::function<Status(const DecidedGroup&)>& each);

}  // namespace imgmill
