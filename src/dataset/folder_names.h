// The names in one folder that a listing may take, sorted, in little memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive_path.h"
#include "dataset/path_glob.h"
#include "imgmill/base/result.h"
#include "imgmill/dataset/ignored_files.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

/// One byte array and an offset a name: a folder of a million files costs some 25 MB, not 70.
class FolderNames {
 public:
  struct Entry {
    std::string_view name;
    bool folder = false;
    bool link = false;  ///< symbolic; where to, nobody has looked yet
  };

  /// Reads `folder`: sub-folders, and files that are images by name and that `filter` takes as relative +
  /// name. Hidden entries, and what is neither file nor folder nor link, are left out. Sorted so that walking
  /// the entries in order gives whole paths in bytewise order: a folder's name counts with the slash that
  /// follows it in a path.
  /// @param relative  path of `folder` below the listed one with a slash at its end, or "".
  /// A tar archive, and a path into one, is a folder of its members.
  static Result<FolderNames> Read(const std::string& folder, std::string_view relative,
                                  const PathFilter& filter);

  size_t size() const { return starts_.size(); }
  Entry operator[](size_t index) const;
  /// Files left out because their names are no images'.
  const IgnoredFiles& ignored() const { return ignored_; }

  /// How a file called `name` relates to the others here.
  NameClash ClashOf(std::string_view name) const;
  /// Whether a file other than `other_than` is called `base`, as a whole or up to its extension.
  bool HasCalled(std::string_view base, std::string_view other_than) const;

 private:
  static Result<FolderNames> ReadFolder(const std::string& folder, std::string_view relative,
                                        const PathFilter& filter);
  static Result<FolderNames> ReadArchive(const ArchivePath& at, std::string_view relative,
                                         const PathFilter& filter);
  /// @param wanted  the user's patterns let the name through
  void Ignore(const std::string& path, bool wanted);
  Status Add(std::string_view name, bool folder, bool link);
  void Sort();
  /// The name with the slash of a folder.
  std::string_view Text(size_t index) const;
  size_t From(std::string_view text) const;
  bool HasFileWithStem(std::string_view stem, std::string_view other_than) const;

  std::string bytes_;             ///< names, each ended by a NUL and one byte more: l for a link, else f
  std::vector<uint32_t> starts_;  ///< where they begin, in sorted order
  IgnoredFiles ignored_;
};

}  // namespace imgmill
