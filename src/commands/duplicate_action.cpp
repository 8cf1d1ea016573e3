// Shared by dedup and apply.
#include "duplicate_action.h"

#include <CLI/CLI.hpp>
#include <array>

#include "choice.h"
#include "imgmill/commands/flag_words.h"
#include "sidecar_actions.h"

namespace imgmill {
namespace {

const std::array<std::string, 5> kActions = {"report", "move", "hardlink", "symlink", "delete"};

}  // namespace

void AddDuplicateActionFlags(CLI::App& app, DuplicateActionFlags flags) {
  TakesWords(
      app.add_option("--action", flags.action, "report, move, hardlink, symlink or delete the duplicates"),
      kActions)
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--move-to", flags.move_to, "Folder for --action move")->type_name("DIR");
  app.add_option("--undo-file", flags.undo_file, "Where to write the undo file [the catalog's folder]")
      ->type_name("FILE");
  AddSidecarFlag(app, flags.sidecars);
}

std::optional<std::string> CheckDuplicateAction(const std::string& action, const std::string& move_to,
                                                const std::vector<std::string>& sidecars) {
  if (auto wrong = CheckChoice("--action", action, kActions)) return wrong;
  if (action == "move" && move_to.empty()) return "--action move needs a folder: --move-to DIR";
  if (action != "move" && !move_to.empty()) return "--move-to goes with --action move";
  return CheckSidecars(sidecars, action == "move" || action == "delete");
}

FileAction::Kind DuplicateActionKind(const std::string& action) {
  if (action == "move") return FileAction::Kind::kMove;
  if (action == "hardlink") return FileAction::Kind::kHardlink;
  if (action == "symlink") return FileAction::Kind::kSymlink;
  return FileAction::Kind::kDelete;
}

}  // namespace imgmill
