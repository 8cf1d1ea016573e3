// What the arguments of a listing mean together: which are folders, which lie in another, and how their
// outputs are named.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dataset/folder_walk.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

/// A path as tar stores it: without a leading slash, and without all up to its last "..".
std::string StoredName(std::string_view path);

struct Argument {
  std::string path;       ///< as given, without redundancy
  std::string canonical;  ///< folder: without links; file: its folder without links, and its name
  bool folder = false;    ///< or an archive, or a folder in one
  std::string
      relative;  ///< of a file; of a folder what stands before its files' relative paths: "" or "name/"
  NameClash clash = NameClash::kNone;
  bool nested = false;   ///< a folder inside of another folder argument
  bool missing = false;  ///< while names are given: others are called as they would be, were it there
};

/// The arguments that the user typed, all of them in memory.
class Arguments {
 public:
  /// @param rules  of the walks
  Arguments(const std::vector<std::string>& paths, const WalkRules& rules,
            std::vector<ListProblem>& problems);

  /// In bytewise order, each once, without those that the walk of another lists whole, or that are missing.
  const std::vector<Argument>& all() const { return all_; }

  /// Whether the walk of a folder argument other than `walked` lists the file with this canonical path.
  bool ListsElsewhere(const std::string& canonical, const std::string& walked) const;
  bool NamesFile(const std::string& canonical) const { return files_.contains(canonical); }
  /// A folder of a list, from now on like a folder argument to ListsElsewhere; false if it is one already.
  bool AddFolder(const std::string& canonical) { return folders_.insert(canonical).second; }
  /// A folder of a list, which will be walked when its turn comes: the list's files in it are left to that.
  void ExpectFolder(const std::string& canonical) { expected_.insert(canonical); }
  bool IsExpected(const std::string& canonical) const;

 private:
  bool Look(const std::string& path, Argument& argument, std::vector<ListProblem>& problems) const;
  bool IsNew(const Argument& argument);
  bool Reaches(const std::string& above, std::string_view rest) const;
  bool IsLeftOut(const std::string& above, std::string_view rest) const;
  void DropCovered();
  void NameFolders();
  void NameFiles();

  const WalkRules& rules_;
  std::vector<Argument> all_;
  std::unordered_set<std::string> folders_;  ///< canonical
  std::unordered_set<std::string> files_;    ///< canonical
  std::unordered_set<std::string> expected_;
};

}  // namespace imgmill
