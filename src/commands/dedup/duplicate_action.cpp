// Shared by dedup and apply.
#include "duplicate_action.h"

#include <array>

#include "commands/choice.h"
#include "commands/sidecar_actions.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

const std::array<std::string, 6> kActions = {"report", "move", "hardlink", "symlink", "trash", "delete"};

}  // namespace

void AddDuplicateActionFlags(Flags& flags, DuplicateActionFlags targets) {
  flags
      .Add("--action", targets.action,
           "report, move, hardlink, symlink, trash (into the desktop's trash) or delete the duplicates")
      .Words(kActions)
      .ShowDefault()
      .Type("NAME");
  flags.Add("--move-to", targets.move_to, "Folder for --action move").Type("DIR");
  flags.Add("--undo-file", targets.undo_file, "Where to write the undo file [the catalog's folder]")
      .Type("FILE");
  AddSidecarFlag(flags, targets.sidecars);
}

std::optional<std::string> CheckDuplicateAction(const std::string& action, const std::string& move_to,
                                                const std::vector<std::string>& sidecars, bool packs) {
  if (auto wrong = CheckChoice("--action", action, kActions)) return wrong;
  if (action == "move" && move_to.empty()) return "--action move needs a folder: --move-to DIR";
  if (action != "move" && !move_to.empty()) return "--move-to goes with --action move";
  return CheckSidecars(sidecars, packs || LeavesItsPlace(action));
}

bool LeavesItsPlace(const std::string& action) {
  return action == "move" || action == "trash" || action == "delete";
}

FileAction::Kind DuplicateActionKind(const std::string& action) {
  if (action == "move") return FileAction::Kind::kMove;
  if (action == "hardlink") return FileAction::Kind::kHardlink;
  if (action == "symlink") return FileAction::Kind::kSymlink;
  if (action == "trash") return FileAction::Kind::kTrash;
  return FileAction::Kind::kDelete;
}

std::string DoneWord(const std::string& action) {
  if (action == "move") return "moved";
  if (action == "trash") return "trashed";
  return action == "delete" ? "deleted" : "linked";
}

}  // namespace imgmill
