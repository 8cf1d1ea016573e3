// Which name a file gets where it goes: one that is free, and with which its side-cars find theirs free, too.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "imgmill/dataset/journal.h"

namespace imgmill {

struct ChosenTarget {
  std::string path;
  bool already = false;  ///< what the action would add stands there
};

using TargetChoice = std::function<Result<ChosenTarget>(const FileAction&)>;

/// "name.jpg" for 1, "name-2.jpg", "name-3.jpg" and so on.
std::string NumberedTarget(const std::string& target, int number);

/// Where a side-car goes, beside its image: "b-2.txt" and "b-2.jpg.txt" beside "b-2.jpg", for what was
/// planned to be "b.txt" or "b.jpg.txt" beside "b.jpg". A partner, in another folder, gets the same number.
std::string SidecarTarget(const FileAction& image, const std::string& image_target,
                          const FileAction& sidecar);

/// The names that actions which were started, but not yet done, will have.
class TakenTargets {
 public:
  /// What was started is done; numbers go on.
  void Clear() { sources_.clear(); }
  void Add(const FileAction& action, const std::string& target) { sources_.emplace(target, action.path); }

  /// For an image: the first of its numbered names that will do.
  Result<ChosenTarget> ForImage(const FileAction& image, const std::vector<FileAction>& sidecars);
  /// For a side-car: just this name; kConflict if something else has it. In the trash the first of its own
  /// that is free.
  Result<ChosenTarget> ForSidecar(const FileAction& sidecar, const std::string& target);

 private:
  enum class Place { kFree, kAlready, kTaken };
  Place Look(const FileAction& action, const std::string& target) const;
  ChosenTarget InTrash(const FileAction& action);

  std::unordered_map<std::string, std::string> sources_;  ///< what goes there, by target
  /// By "TRASH/files/NAME": the last number given out, where that is not 1. Else each of many files of one
  /// name would try all numbers of those before.
  std::unordered_map<std::string, int> last_numbers_;
};

}  // namespace imgmill
