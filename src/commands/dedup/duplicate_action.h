// What may happen to a duplicate: the words of --action, and the flags that go with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgmill/dataset/journal.h"

namespace imgmill {

class Flags;

struct DuplicateActionFlags {
  std::string& action;
  std::string& move_to;
  std::string& undo_file;
  std::vector<std::string>& sidecars;
};

/// Declares --action, --move-to, --undo-file and --sidecars.
void AddDuplicateActionFlags(Flags& flags, DuplicateActionFlags targets);

/// @param packs  what is kept is packed with side-cars, which are good for that then
std::optional<std::string> CheckDuplicateAction(const std::string& action, const std::string& move_to,
                                                const std::vector<std::string>& sidecars, bool packs = false);

/// Of any but "report".
FileAction::Kind DuplicateActionKind(const std::string& action);
/// Whether nothing is where the file was then.
bool LeavesItsPlace(const std::string& action);
/// "moved", "trashed", "linked" or "deleted".
std::string DoneWord(const std::string& action);

}  // namespace imgmill
